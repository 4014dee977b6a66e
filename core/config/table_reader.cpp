// SPDX-License-Identifier: Apache-2.0
//
// Typed access to a TomlTable. Messages say what is there, then what to write instead.
#include "config/table_reader.hpp"

#include "base/assert.hpp"
#include "config/suggest.hpp"

#include <fmt/format.h>
#include <algorithm>

namespace latmon {
namespace {

bool has_key(const Section& section, std::string_view key) noexcept {
    return std::find(section.keys.begin(), section.keys.end(), key) != section.keys.end();
}

// Where a key that is unknown here would be known.
std::string_view where_known(std::string_view key) noexcept {
    if (has_key(top_section, key)) {
        return "it belongs to the top level, above the first [table]";
    }
    if (has_key(target_section, key)) return "it belongs into a [[targets]] table";
    if (has_key(reflector_section, key)) return "it belongs into the [reflector] table";
    if (has_key(clock_section, key)) return "it belongs into the [clock] table";
    if (has_key(admin_section, key)) return "it belongs into the [admin] table";
    if (has_key(reflector_key_section, key)) return "it belongs into a [[reflector.keys]] table";
    if (has_key(exporter_section, key)) return "it belongs into an [[exporters]] table";
    if (has_key(admin_module_section, key)) return "it belongs into an [[admin.modules]] table";
    return "";
}

// A number with or without a fraction; nullopt if the value is none.
std::optional<double> number_of(const TomlValue& value) noexcept {
    if (const std::int64_t* integer = std::get_if<std::int64_t>(&value.data)) {
        return static_cast<double>(*integer);
    }
    if (const double* number = std::get_if<double>(&value.data)) return *number;
    return std::nullopt;
}

}  // namespace

TableReader::TableReader(const TomlTable& table, const Section& section, Mistakes& mistakes)
    : table_(table), section_(section), mistakes_(mistakes) {}

void TableReader::report_unknown_keys() const {
    for (const TomlMember& member : table_.members) {
        if (has_key(section_, member.key)) continue;
        std::string cure(where_known(member.key));
        if (cure.empty()) {
            const std::optional<std::string_view> meant = closest_word(member.key, section_.keys);
            cure = meant ? fmt::format("did you mean {}?", in_quotes(*meant))
                         : "remove it; configs/default.toml lists all keys";
        }
        mistakes_.error(member.where, fmt::format("unknown key {} {}; {}", in_quotes(member.key),
                                                  section_.place, cure));
    }
}

const TomlMember* TableReader::find(std::string_view key) const {
    LATMON_ASSERT(has_key(section_, key));
    return table_.find(key);
}

bool TableReader::read(std::string_view key, std::string& out) const {
    const TomlMember* member = find(key);
    if (member == nullptr) return false;
    const std::string* text = std::get_if<std::string>(&member->value.data);
    if (text == nullptr) {
        report_type(*member, "a string in quotes");
        return false;
    }
    if (!check_text(member->value.where, *text)) return false;
    out = *text;
    return true;
}

bool TableReader::read(std::string_view key, bool& out) const {
    const TomlMember* member = find(key);
    if (member == nullptr) return false;
    const bool* value = std::get_if<bool>(&member->value.data);
    if (value == nullptr) {
        report_type(*member, "true or false, without quotes");
        return false;
    }
    out = *value;
    return true;
}

bool TableReader::read(std::string_view key, Duration& out, const DurationRange& range) const {
    const TomlMember* member = find(key);
    if (member == nullptr) return false;
    const std::optional<double> count = number_of(member->value);
    if (!count) {
        report_type(*member, describe(range));
        return false;
    }
    const std::optional<Duration> duration = to_duration(*count, range);
    if (!duration) {
        mistakes_.error(member->value.where,
                        fmt::format("{} is {}; write {}", in_quotes(key), *count, describe(range)));
        return false;
    }
    out = *duration;
    return true;
}

bool TableReader::read(std::string_view key, double& out, const NumberRange& range) const {
    const TomlMember* member = find(key);
    if (member == nullptr) return false;
    const std::optional<double> number = number_of(member->value);
    if (!number) {
        report_type(*member, describe(range));
        return false;
    }
    if (!contains(range, *number)) {
        mistakes_.error(member->value.where, fmt::format("{} is {}; write {}", in_quotes(key),
                                                         *number, describe(range)));
        return false;
    }
    out = *number;
    return true;
}

std::optional<std::uint64_t> TableReader::read_integer(std::string_view key,
                                                       const IntegerRange& range) const {
    const TomlMember* member = find(key);
    if (member == nullptr) return std::nullopt;
    const std::int64_t* value = std::get_if<std::int64_t>(&member->value.data);
    if (value == nullptr) {
        report_type(*member, describe(range));
        return std::nullopt;
    }
    if (!contains(range, *value)) {
        mistakes_.error(member->value.where,
                        fmt::format("{} is {}; write {}", in_quotes(key), *value, describe(range)));
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(*value);
}

std::optional<std::size_t> TableReader::read_word(std::string_view key,
                                                  std::span<const std::string_view> words) const {
    std::string typed;
    if (!read(key, typed)) return std::nullopt;
    const std::optional<std::size_t> index = find_word(typed, words);
    if (!index) report_word(find(key)->value.where, typed, words);
    return index;
}

std::optional<std::vector<ListItem>> TableReader::read_list(std::string_view key) const {
    const TomlMember* member = find(key);
    if (member == nullptr) return std::nullopt;
    if (const std::string* text = std::get_if<std::string>(&member->value.data)) {
        if (!check_text(member->value.where, *text)) return std::nullopt;
        return std::vector<ListItem>{ListItem{*text, member->value.where}};
    }
    const TomlValue::List* values = std::get_if<TomlValue::List>(&member->value.data);
    if (values == nullptr) {
        report_type(*member, "a list of strings: [\"...\", \"...\"]");
        return std::nullopt;
    }
    std::vector<ListItem> items;
    for (const TomlValue& value : *values) {
        const std::string* text = std::get_if<std::string>(&value.data);
        if (text == nullptr) {
            mistakes_.error(value.where, fmt::format("{} holds {}; write strings in quotes only",
                                                     in_quotes(key), type_name(value)));
        } else if (check_text(value.where, *text)) {
            items.push_back(ListItem{*text, value.where});
        }
    }
    if (items.empty() && !values->empty()) return std::nullopt;
    return items;
}

void TableReader::report_type(const TomlMember& member, std::string_view wanted) const {
    mistakes_.error(member.value.where, fmt::format("{} is {}; write {}", in_quotes(member.key),
                                                    type_name(member.value), wanted));
}

void TableReader::report_word(SourcePosition where, std::string_view typed,
                              std::span<const std::string_view> words) const {
    mistakes_.error(where, describe_unknown(typed, words));
}

// Names and paths end up in log lines and in the formats of exporters, most of which know no
// quoting.
bool TableReader::check_text(SourcePosition where, std::string_view text) const {
    const bool is_plain = std::none_of(text.begin(), text.end(), [](char letter) {
        return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
    });
    if (!is_plain) {
        mistakes_.error(where, fmt::format("{} holds a control character; remove it (shown as '?')",
                                           in_quotes(text)));
    }
    return is_plain;
}

}  // namespace latmon
