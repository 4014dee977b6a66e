// SPDX-License-Identifier: Apache-2.0
//
// The SQL that the exporter says, and how names of the operator's get into it and into an address
// without becoming anything else. Sends nothing. Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace latmon::plugins::clickhouse {

// Of "18.16.1" and of "24.8.4.13"; 0.0 for what is no version.
struct ServerVersion {
    unsigned major = 0;
    unsigned minor = 0;
    friend auto operator<=>(const ServerVersion&, const ServerVersion&) = default;
};
[[nodiscard]] ServerVersion parse_version(std::string_view text) noexcept;

// From here on: INSERT takes a token against blocks that come twice, and there are the types that
// schema.sql wants.
inline constexpr ServerVersion modern_version{.major = 22, .minor = 2};

// `name` in backticks.
[[nodiscard]] std::string quoted(std::string_view name);

// "table" or "database.table", each part in backticks.
[[nodiscard]] std::string quoted_table(std::string_view table);

// All but RFC 3986's unreserved characters as %XX.
[[nodiscard]] std::string url_encoded(std::string_view text);

// INSERT INTO `table` (`a`, `b`) FORMAT RowBinary
[[nodiscard]] std::string insert_statement(std::string_view table,
                                           std::span<const std::string> columns);

// The file of contrib/clickhouse that suits a server.
[[nodiscard]] std::string_view schema_file(ServerVersion version) noexcept;

// The statement of that file which creates the table of samples, or that of points, under the name
// `table`.
enum class SchemaTable : std::uint8_t { samples, points };
[[nodiscard]] std::string create_statement(ServerVersion version, SchemaTable kind,
                                           std::string_view table);

}  // namespace latmon::plugins::clickhouse
