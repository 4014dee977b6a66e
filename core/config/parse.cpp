// SPDX-License-Identifier: Apache-2.0
//
// The only file that knows toml++: TOML text to a tree of plain values, which read_config() then
// reads. The library reports a mistake of syntax by throwing; here that becomes a value.
#include "config/parse.hpp"

#include "config/mistakes.hpp"
#include "config/read_config.hpp"
#include "config/toml_guard.hpp"
#include "config/toml_tree.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <tuple>

namespace latmon {
namespace {

// Thousands of targets take a megabyte; what is larger is no configuration.
constexpr std::size_t file_octets_max = 64U << 20U;
// The deepest key of ours is a string in a list in a table in a list in a table in the file.
constexpr std::size_t depth_max = 6;

SourcePosition position_of(const toml::source_region& region) noexcept {
    return SourcePosition{region.begin.line, region.begin.column};
}

TomlValue value_of(const toml::node& node, std::size_t depth);

TomlTable table_of(const toml::table& source, std::size_t depth) {
    TomlTable table;
    table.where = position_of(source.source());
    for (const auto& [key, node] : source) {
        table.members.push_back(TomlMember{std::string(key.str()), position_of(key.source()),
                                           value_of(node, depth + 1)});
    }
    // toml++ sorts by name; options and messages keep the file's order.
    std::stable_sort(
        table.members.begin(), table.members.end(), [](const TomlMember& a, const TomlMember& b) {
            return std::tie(a.where.line, a.where.column) < std::tie(b.where.line, b.where.column);
        });
    return table;
}

TomlValue value_of(const toml::node& node, std::size_t depth) {
    TomlValue value{.data = TomlUnsupported{}, .where = position_of(node.source())};
    if (depth > depth_max) return value;
    if (const toml::table* table = node.as_table()) {
        value.data = table_of(*table, depth);
    } else if (const toml::array* array = node.as_array()) {
        TomlValue::List list;
        for (const toml::node& item : *array) {
            list.push_back(value_of(item, depth + 1));
        }
        value.data = std::move(list);
    } else if (const toml::value<std::string>* text = node.as_string()) {
        value.data = text->get();
    } else if (const toml::value<bool>* flag = node.as_boolean()) {
        value.data = flag->get();
    } else if (const toml::value<std::int64_t>* integer = node.as_integer()) {
        value.data = integer->get();
    } else if (const toml::value<double>* number = node.as_floating_point()) {
        value.data = number->get();
    }
    return value;
}

// One mistake of syntax: after it the rest of the file has no certain meaning.
void report_syntax(const toml::parse_error& error, Mistakes& mistakes) {
    const SourcePosition where = position_of(error.source());
    std::string text = fmt::format("not TOML: {}", error.description());
    for (char& letter : text) {
        if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f) letter = '?';
    }
    mistakes.error(where, text +
                              "; write KEY = VALUE, with strings in quotes and lists in "
                              "[brackets]");
}

TomlTable parse_tree(std::string_view text, Mistakes& mistakes) {
    if (const std::optional<TextFault> fault = find_text_fault(text)) {
        mistakes.error(fault->where, fault->text);
        return {};
    }
    try {
        return table_of(toml::parse(text), 0);
    } catch (const toml::parse_error& error) {
        report_syntax(error, mistakes);
        return {};
    }
}

Result<std::string> read_file(const std::string& path) {
    const auto close = [](std::FILE* file) { std::fclose(file); };
    const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path.c_str(), "re"), close);
    if (file == nullptr) {
        return fail_errno(ExitCode::configuration,
                          fmt::format("{}: cannot be opened; write it (configs/default.toml lists "
                                      "every key), or name another with --config-file",
                                      path),
                          errno);
    }
    std::string text;
    std::array<char, 65'536> block{};
    while (const std::size_t octets = std::fread(block.data(), 1, block.size(), file.get())) {
        text.append(block.data(), octets);
        if (text.size() > file_octets_max) {
            return fail(ExitCode::configuration,
                        fmt::format("{}: larger than {} octets, which is no configuration; name "
                                    "another file with --config-file",
                                    path, file_octets_max));
        }
    }
    if (std::ferror(file.get()) != 0) {
        return fail_errno(ExitCode::configuration,
                          fmt::format("{}: cannot be read; name a file with --config-file", path),
                          errno);
    }
    return text;
}

}  // namespace

Result<Config> parse_config(std::string_view text, const std::string& file,
                            const ConfigOverrides& overrides, std::vector<std::string>& warnings) {
    Mistakes mistakes(file);
    const TomlTable tree = parse_tree(text, mistakes);
    if (mistakes.has_errors()) return fail(ExitCode::configuration, mistakes.errors_text());
    Config config = read_config(tree, file, overrides, mistakes);
    const std::vector<std::string> lines = mistakes.warnings();
    warnings.insert(warnings.end(), lines.begin(), lines.end());
    if (mistakes.has_errors()) return fail(ExitCode::configuration, mistakes.errors_text());
    return config;
}

Result<Config> load_config(const std::string& path, const ConfigOverrides& overrides,
                           std::vector<std::string>& warnings) {
    const Result<std::string> text = read_file(path);
    if (!text) return std::unexpected(text.error());
    return parse_config(*text, path, overrides, warnings);
}

std::string host_name() {
    // HOST_NAME_MAX is 64 on Linux; the last octet stays zero.
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
    return name.data();
}

}  // namespace latmon
