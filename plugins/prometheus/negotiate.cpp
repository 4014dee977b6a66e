// SPDX-License-Identifier: Apache-2.0
//
// See negotiate.hpp.
#include "prometheus/negotiate.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

namespace latmon::plugins::prometheus {
namespace {

constexpr std::string_view blanks = " \t";

std::string_view trimmed(std::string_view text) noexcept {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& octet : out) {
        if (octet >= 'A' && octet <= 'Z') octet = static_cast<char>(octet - 'A' + 'a');
    }
    return out;
}

// Cuts off and returns what stands in front of the next `separator` outside of quotes.
std::string_view next_part(std::string_view& rest, char separator) noexcept {
    bool is_quoted = false;
    std::size_t at = 0;
    for (; at < rest.size(); ++at) {
        if (is_quoted && rest[at] == '\\') {
            ++at;
        } else if (rest[at] == '"') {
            is_quoted = !is_quoted;
        } else if (rest[at] == separator && !is_quoted) {
            break;
        }
    }
    const std::string_view part = rest.substr(0, std::min(at, rest.size()));
    rest.remove_prefix(std::min(at + 1, rest.size()));
    return trimmed(part);
}

// One element of either header.
struct Wish {
    std::string name;  // In lower case.
    std::vector<std::pair<std::string, std::string>> parameters;
    unsigned weight = 1'000;  // "q", in thousandths.

    [[nodiscard]] std::string_view parameter(std::string_view key) const noexcept {
        for (const auto& [name_of, value] : parameters) {
            if (name_of == key) return value;
        }
        return {};
    }
};

// 0 if it is none.
unsigned weight_of(std::string_view text) noexcept {
    double weight = 0;
    const char* const end = text.data() + text.size();
    const std::from_chars_result read =
        std::from_chars(text.data(), end, weight, std::chars_format::fixed);
    const bool is_sound = read.ec == std::errc() && read.ptr == end && weight >= 0 && weight <= 1;
    return is_sound ? static_cast<unsigned>(std::lround(weight * 1'000)) : 0;
}

std::vector<Wish> wishes_of(const char* header) {
    std::vector<Wish> wishes;
    std::string_view rest = header == nullptr ? "" : header;
    while (!rest.empty()) {
        std::string_view element = next_part(rest, ',');
        Wish wish;
        wish.name = lower(next_part(element, ';'));
        while (!element.empty()) {
            const std::string_view parameter = next_part(element, ';');
            const std::size_t equals = parameter.find('=');
            if (equals == std::string_view::npos) continue;
            const std::string key = lower(trimmed(parameter.substr(0, equals)));
            std::string_view value = trimmed(parameter.substr(equals + 1));
            if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
                value = value.substr(1, value.size() - 2);
            }
            if (key == "q") {
                wish.weight = weight_of(value);
            } else {
                wish.parameters.emplace_back(key, value);
            }
        }
        if (!wish.name.empty()) wishes.push_back(std::move(wish));
    }
    return wishes;
}

// Whether this wish is for that, and one that we can fulfil.
bool is_for(const Wish& wish, Exposition exposition) noexcept {
    const std::string_view version = wish.parameter("version");
    switch (exposition) {
        case Exposition::protobuf:
            return wish.name == "application/vnd.google.protobuf" &&
                   wish.parameter("proto") == "io.prometheus.client.MetricFamily" &&
                   wish.parameter("encoding") == "delimited";
        case Exposition::open_metrics:
            return wish.name == "application/openmetrics-text" &&
                   (version.empty() || version == "1.0.0");
        case Exposition::text:
            return (wish.name == "text/plain" && (version.empty() || version == "0.0.4")) ||
                   wish.name == "text/*" || wish.name == "*/*";
    }
    return false;
}

}  // namespace

Choice choose_exposition(const char* accept) {
    Choice best;
    unsigned best_weight = 0;
    const std::vector<Wish> wishes = wishes_of(accept);
    for (const Exposition exposition :
         {Exposition::protobuf, Exposition::open_metrics, Exposition::text}) {
        for (const Wish& wish : wishes) {
            if (wish.weight <= best_weight || !is_for(wish, exposition)) continue;
            best_weight = wish.weight;
            best = {.exposition = exposition, .has_escaping = !wish.parameter("escaping").empty()};
        }
    }
    return best;
}

std::string content_type(const Choice& choice) {
    const std::string escaping = choice.has_escaping ? "; escaping=underscores" : "";
    switch (choice.exposition) {
        case Exposition::protobuf:
            return "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
                   "encoding=delimited" +
                   escaping;
        case Exposition::open_metrics:
            return "application/openmetrics-text; version=1.0.0; charset=utf-8" + escaping;
        case Exposition::text:
            break;
    }
    return "text/plain; version=0.0.4; charset=utf-8" + escaping;
}

bool takes_gzip(const char* accept_encoding) {
    unsigned any = 0;
    for (const Wish& wish : wishes_of(accept_encoding)) {
        if (wish.name == "gzip" || wish.name == "x-gzip") return wish.weight > 0;
        if (wish.name == "*") any = wish.weight;
    }
    return any > 0;
}

}  // namespace latmon::plugins::prometheus
