// SPDX-License-Identifier: Apache-2.0
//
// Turns keys into options, and says why one cannot be.
#include "config/read_options.hpp"

#include "config/suggest.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace latmon {
namespace {

constexpr std::string_view flat_options =
    "an option is a string, a number, true, false or a list of strings";

// Plugins get C strings: what stands behind a NUL would be lost without a word.
bool has_nul(const std::string& text) noexcept {
    return text.find('\0') != std::string::npos;
}

std::optional<OptionValue::List> option_list(const TomlValue::List& values) {
    OptionValue::List list;
    for (const TomlValue& value : values) {
        const std::string* text = std::get_if<std::string>(&value.data);
        if (text == nullptr || has_nul(*text)) return std::nullopt;
        list.push_back(*text);
    }
    return list;
}

std::optional<OptionValue> option_value(const TomlValue& value) {
    OptionValue option{.value = {}, .where = value.where};
    if (const std::string* text = std::get_if<std::string>(&value.data)) {
        if (has_nul(*text)) return std::nullopt;
        option.value = *text;
    } else if (const bool* flag = std::get_if<bool>(&value.data)) {
        option.value = *flag;
    } else if (const std::int64_t* integer = std::get_if<std::int64_t>(&value.data)) {
        option.value = *integer;
    } else if (const double* number = std::get_if<double>(&value.data)) {
        option.value = *number;
    } else if (const TomlValue::List* values = std::get_if<TomlValue::List>(&value.data)) {
        const std::optional<OptionValue::List> list = option_list(*values);
        if (!list) return std::nullopt;
        option.value = *list;
    } else {
        return std::nullopt;
    }
    return option;
}

std::string fault_of_option(const TomlMember& member) {
    if (std::holds_alternative<TomlTable>(member.value.data)) {
        return fmt::format("option {} is a table; options are flat: write its keys one by one",
                           in_quotes(member.key));
    }
    if (std::holds_alternative<TomlValue::List>(member.value.data)) {
        return fmt::format("option {} is a list with something else than strings; {}",
                           in_quotes(member.key), flat_options);
    }
    if (std::holds_alternative<std::string>(member.value.data)) {
        return fmt::format("option {} holds a NUL character; remove it", in_quotes(member.key));
    }
    return fmt::format("option {} is {}; {}", in_quotes(member.key), type_name(member.value),
                       flat_options);
}

}  // namespace

void read_options(const TomlTable& table, std::span<const std::string_view> own_keys,
                  ExporterConfig& exporter, Mistakes& mistakes) {
    for (const TomlMember& member : table.members) {
        if (std::find(own_keys.begin(), own_keys.end(), member.key) != own_keys.end()) continue;
        std::optional<OptionValue> option = option_value(member.value);
        if (member.key.empty() || has_nul(member.key)) {
            mistakes.error(member.where, "an option's name is empty or holds a NUL; name it");
        } else if (!option) {
            mistakes.error(member.value.where, fault_of_option(member));
        } else {
            exporter.options.emplace_back(member.key, std::move(*option));
        }
        const std::optional<std::string_view> meant = closest_word(member.key, own_keys);
        if (meant) {
            mistakes.warn(member.where,
                          fmt::format("{} is left to the plugin as an option; did you mean {}?",
                                      in_quotes(member.key), in_quotes(*meant)));
        }
    }
}

}  // namespace latmon
