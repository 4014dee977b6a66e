// SPDX-License-Identifier: Apache-2.0
//
// The schemas are those of contrib/clickhouse: the build makes schema_texts.hpp of the two files.
#include "clickhouse/statements.hpp"

#include "clickhouse/schema_texts.hpp"

#include <charconv>

namespace latmon::plugins::clickhouse {

ServerVersion parse_version(std::string_view text) noexcept {
    ServerVersion version;
    const char* const end = text.data() + text.size();
    const std::from_chars_result major = std::from_chars(text.data(), end, version.major);
    if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return {};
    const std::from_chars_result minor = std::from_chars(major.ptr + 1, end, version.minor);
    return minor.ec == std::errc() ? version : ServerVersion{};
}

std::string quoted(std::string_view name) {
    std::string out = "`";
    for (const char letter : name) {
        if (letter == '`' || letter == '\\') out += '\\';
        out += letter;
    }
    return out + '`';
}

std::string quoted_table(std::string_view table) {
    const std::size_t dot = table.find('.');
    if (dot == std::string_view::npos) return quoted(table);
    return quoted(table.substr(0, dot)) + '.' + quoted(table.substr(dot + 1));
}

std::string url_encoded(std::string_view text) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    static constexpr std::string_view plain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    std::string out;
    for (const char letter : text) {
        const unsigned octet = static_cast<unsigned char>(letter);
        if (plain.find(letter) != std::string_view::npos) {
            out += letter;
        } else {
            out.append(1, '%').append(1, digits[octet >> 4U]).append(1, digits[octet & 0xFU]);
        }
    }
    return out;
}

std::string insert_statement(std::string_view table, std::span<const std::string> columns) {
    std::string list;
    for (const std::string& column : columns) {
        if (!list.empty()) list += ", ";
        list += quoted(column);
    }
    return "INSERT INTO " + quoted_table(table) + " (" + list + ") FORMAT RowBinary";
}

std::string_view schema_file(ServerVersion version) noexcept {
    return version < modern_version ? "contrib/clickhouse/schema-18.16.sql"
                                    : "contrib/clickhouse/schema.sql";
}

std::string create_statement(ServerVersion version, SchemaTable kind, std::string_view table) {
    const std::string_view schema = version < modern_version ? schema_old_text : schema_text;
    const std::string head = "CREATE TABLE IF NOT EXISTS ";
    const std::string start =
        head + (kind == SchemaTable::samples ? "latmon_samples\n" : "metrics\n");
    const std::size_t first = schema.find(start);
    if (first == std::string_view::npos) return {};
    const std::string_view rest = schema.substr(first + start.size());
    return head + quoted_table(table) + "\n" + std::string(rest.substr(0, rest.find(';')));
}

}  // namespace latmon::plugins::clickhouse
