// SPDX-License-Identifier: Apache-2.0
//
// See naming.hpp. What may stand in a name: statsd's own rule (letters, digits, '_', '-' and '.';
// it takes everything else out in silence, so that two names may become one), and Datadog's
// (metrics/custom_metrics: no '-', a letter in front, 200 characters).
#include "statsd/naming.hpp"

#include "support/words.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace latmon::plugins::statsd {
namespace {

constexpr std::size_t datadog_name_octets_max = 200;
constexpr std::size_t datadog_tag_octets_max = 200;

bool is_letter(char octet) noexcept {
    return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z');
}

bool is_name_octet(char octet) noexcept {
    return is_letter(octet) || (octet >= '0' && octet <= '9') || octet == '_';
}

bool is_continued(char octet) noexcept {
    return (static_cast<unsigned char>(octet) & 0xC0U) == 0x80;
}

// `utf8` with every code point that `is_allowed` refuses made '_'.
template <typename IsAllowed>
std::string replaced(std::string_view utf8, IsAllowed is_allowed) {
    std::string out;
    for (const char octet : utf8) {
        if (is_allowed(octet)) {
            out += octet;
        } else if (!is_continued(octet)) {
            out += '_';
        }
    }
    return out;
}

// At most `octets_max` of `utf8`, no code point cut in two.
std::string cut(std::string utf8, std::size_t octets_max) {
    if (utf8.size() <= octets_max) return utf8;
    std::size_t size = octets_max;
    while (size > 0 && is_continued(utf8[size]))
        --size;
    utf8.resize(size);
    return utf8;
}

// Graphite's manual, "Graphite Tag Support", and what statsd lets through: tags become part of a
// name there, and other characters would be taken out.
std::string plain_word(std::string_view text) {
    const std::string word = replaced(
        text, [](char octet) { return is_name_octet(octet) || octet == '-' || octet == '.'; });
    return word.empty() ? "none" : word;
}

// Datadog makes the rest of a tag what it likes; this is what would end it.
std::string datadog_word(std::string_view text) {
    return replaced(text, [](char octet) {
        const unsigned char value = static_cast<unsigned char>(octet);
        return value > 0x20 && value != 0x7F && octet != ',' && octet != '|' && octet != '#';
    });
}

std::string without_empty_segments(std::string_view name) {
    std::string out;
    while (!name.empty()) {
        const std::size_t dot = std::min(name.find('.'), name.size());
        if (dot > 0) {
            if (!out.empty()) out += '.';
            out += name.substr(0, dot);
        }
        name.remove_prefix(std::min(dot + 1, name.size()));
    }
    return out;
}

std::pair<std::string_view, std::string_view> split_tag(std::string_view tag) {
    const std::size_t colon = tag.find(':');
    if (colon == std::string_view::npos) return {tag, ""};
    return {tag.substr(0, colon), tag.substr(colon + 1)};
}

std::string_view tag_value(const latmon_series_t& series, std::string_view key) {
    for (std::uint32_t index = 0; index < series.tags_count; ++index) {
        const auto [name, value] = split_tag(series.tags[index]);
        if (name == key) return value;
    }
    return "";
}

}  // namespace

std::string_view proto_of(const latmon_series_t& series) noexcept {
    if (series.kind == LATMON_KIND_CONNECT) return "tcp_connect";
    return series.protocol == LATMON_PROTOCOL_NONE ? "" : protocol_word(series.protocol);
}

// -- Options --------------------------------------------------------------------------------------

std::expected<Naming, std::string> Naming::make(const NamingOptions& options) {
    Naming naming(options);
    const bool is_dog = options.mode == Mode::dogstatsd;
    const auto is_allowed = [&](char octet) {
        return is_name_octet(octet) || octet == '.' || (octet == '-' && !is_dog);
    };
    if (!std::ranges::all_of(options.prefix, is_allowed)) {
        return std::unexpected(std::string("prefix holds more than letters, digits, ") +
                               (is_dog ? "'_' and '.'" : "'_', '-' and '.'") +
                               ": write prefix = \"latmon.\" or the like");
    }
    if (is_dog && !options.prefix.empty() && !is_letter(options.prefix.front())) {
        return std::unexpected("prefix does not begin with a letter, as Datadog wants it");
    }
    if (options.tag_format == TagFormat::none && !options.tags.empty()) {
        return std::unexpected(
            "tags need a place: write tag_format = \"graphite\" or \"datadog\", or put what they "
            "say into prefix");
    }
    const bool is_word = std::ranges::all_of(options.container_id, [](char octet) {
        return octet > 0x20 && octet < 0x7F && octet != '|' && octet != ',';
    });
    if (!is_word) return std::unexpected("container_id holds a blank, a ',' or a '|'");
    const std::string fault = naming.parse_template();
    if (!fault.empty()) return std::unexpected("template " + fault);
    return naming;
}

std::string Naming::parse_template() {
    std::string_view rest = options_.name_template;
    while (!rest.empty()) {
        const bool is_word = rest.front() == '{';
        const std::size_t end = rest.find(is_word ? '}' : '{');
        if (is_word && end == std::string_view::npos) return "has a '{' without a '}'";
        if (is_word) {
            std::string fault = parse_piece(rest.substr(1, end - 1));
            if (!fault.empty()) return fault;
            rest.remove_prefix(end + 1);
            continue;
        }
        const std::string_view text = rest.substr(0, end);
        if (part(text, true) != text) {
            return "has a character in \"" + std::string(text) +
                   "\" that no name may have: take it out";
        }
        pieces_.push_back({.kind = Piece::Kind::text, .text = std::string(text)});
        rest.remove_prefix(text.size());
    }
    const bool has_metric = std::ranges::any_of(
        pieces_, [](const Piece& piece) { return piece.kind == Piece::Kind::metric; });
    return has_metric ? "" : "has no {metric}: all metrics would have one name";
}

std::string Naming::parse_piece(std::string_view word) {
    static constexpr std::pair<std::string_view, Piece::Kind> words[] = {
        {"metric", Piece::Kind::metric}, {"proto", Piece::Kind::proto},
        {"source", Piece::Kind::source}, {"target", Piece::Kind::target},
        {"host", Piece::Kind::host},     {"port", Piece::Kind::port}};
    constexpr std::string_view tag = "tag:";
    if (word.starts_with(tag) && word.size() > tag.size()) {
        pieces_.push_back({.kind = Piece::Kind::tag, .text = std::string(word.substr(tag.size()))});
        return "";
    }
    for (const auto& [name, kind] : words) {
        if (name != word) continue;
        pieces_.push_back({.kind = kind, .text = ""});
        return "";
    }
    return "has {" + std::string(word) +
           "}, which is not known: write {metric}, {proto}, {source}, {target}, {host}, {port} or "
           "{tag:KEY}";
}

// -- Names ----------------------------------------------------------------------------------------

std::string Naming::part(std::string_view text, bool may_have_dots) const {
    const bool may_have_dashes = options_.mode == Mode::statsd;
    return replaced(text, [&](char octet) {
        return is_name_octet(octet) || (octet == '-' && may_have_dashes) ||
               (octet == '.' && may_have_dots);
    });
}

std::string Naming::metric_text(const Metric& metric) const {
    std::string out = part(metric.name, true);
    if (options_.tag_format == TagFormat::none) {
        for (const Dimension& dimension : metric.dimensions) {
            out += '.';
            // A number alone says nothing.
            const bool is_number = !dimension.value.empty() && dimension.value.front() >= '0' &&
                                   dimension.value.front() <= '9';
            if (is_number) out += dimension.key;
            out += part(dimension.value, false);
        }
    }
    if (!metric.statistic.empty()) out.append(".").append(metric.statistic);
    return out;
}

std::string Naming::piece_text(const Piece& piece, const latmon_series_t& series,
                               const Metric& metric) const {
    switch (piece.kind) {
        case Piece::Kind::text:
            return piece.text;
        case Piece::Kind::metric:
            return metric_text(metric);
        case Piece::Kind::proto:
            return std::string(proto_of(series));
        case Piece::Kind::source:
            return part(series.source, false);
        case Piece::Kind::target:
            return part(series.target, false);
        case Piece::Kind::host:
            return part(series.host, false);
        case Piece::Kind::port:
            return series.port == 0 ? "" : std::to_string(series.port);
        case Piece::Kind::tag:
            return part(tag_value(series, piece.text), false);
    }
    return "";
}

std::string Naming::name_of(const latmon_series_t& series, const Metric& metric) const {
    std::string name;
    for (const Piece& piece : pieces_) {
        name += piece_text(piece, series, metric);
    }
    name = options_.prefix + without_empty_segments(name);
    if (options_.mode == Mode::statsd) return name;
    if (!is_letter(name.front())) name.insert(0, 1, 'x');
    return cut(std::move(name), datadog_name_octets_max);
}

// -- Tags -----------------------------------------------------------------------------------------

Naming::Tags Naming::tags_of(const latmon_series_t& series, const Metric& metric) const {
    Tags tags;
    const std::string_view proto = proto_of(series);
    if (!proto.empty()) tags.emplace_back("proto", proto);
    if (*series.source != '\0') tags.emplace_back("source", series.source);
    if (*series.target != '\0') tags.emplace_back("target", series.target);
    for (const Dimension& dimension : metric.dimensions) {
        tags.emplace_back(dimension.key, dimension.value);
    }
    const std::size_t own = tags.size();
    const auto add = [&](std::string_view tag) {
        const std::pair<std::string_view, std::string_view> parts = split_tag(tag);
        std::string name(parts.first);
        const bool is_ours =
            std::any_of(tags.begin(), tags.begin() + static_cast<long>(own),
                        [&](const auto& known) { return known.first == parts.first; });
        // Graphite has one value for a key.
        if (is_ours && options_.tag_format == TagFormat::graphite) name.insert(0, "tag_");
        tags.emplace_back(std::move(name), parts.second);
    };
    for (std::uint32_t index = 0; index < series.tags_count; ++index) {
        add(series.tags[index]);
    }
    std::ranges::for_each(options_.tags, add);
    return tags;
}

std::string Naming::datadog_tail(const Tags& tags) const {
    const auto word = options_.mode == Mode::dogstatsd ? datadog_word : plain_word;
    std::string out;
    for (const auto& [key, value] : tags) {
        std::string tag = word(key);
        if (!value.empty()) tag.append(":").append(word(value));
        if (tag.empty()) continue;
        out += out.empty() ? "|#" : ",";
        out += cut(std::move(tag), datadog_tag_octets_max);
    }
    return out;
}

std::string Naming::graphite_tags(const Tags& tags) const {
    std::vector<std::string> keys;
    std::string out;
    for (const auto& [key, value] : tags) {
        std::string word = plain_word(key);
        if (std::ranges::find(keys, word) != keys.end()) continue;  // The first one stays.
        out.append(";").append(word).append("=");
        out += value.empty() ? "true" : plain_word(value);
        keys.push_back(std::move(word));
    }
    return out;
}

Identity Naming::identity(const latmon_series_t& series, const Metric& metric) const {
    Identity identity{.head = name_of(series, metric), .tail = ""};
    if (options_.tag_format == TagFormat::graphite) {
        identity.head += graphite_tags(tags_of(series, metric));
    } else if (options_.tag_format == TagFormat::datadog) {
        identity.tail = datadog_tail(tags_of(series, metric));
    }
    identity.head += ':';
    if (!options_.container_id.empty()) identity.tail += "|c:" + options_.container_id;
    return identity;
}

}  // namespace latmon::plugins::statsd
