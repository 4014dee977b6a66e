// SPDX-License-Identifier: Apache-2.0
//
// Errors by number. What is not in the table is a fault of the block, unless the status says that
// it is one of the server's.
#include "clickhouse/server_error.hpp"

#include <algorithm>
#include <charconv>

namespace latmon::plugins::clickhouse {
namespace {

constexpr std::size_t text_bytes_max = 300;

std::optional<int> number_in(std::string_view text) noexcept {
    int number = 0;
    const std::from_chars_result done =
        std::from_chars(text.data(), text.data() + text.size(), number);
    return done.ec == std::errc() && number > 0 ? std::optional(number) : std::nullopt;
}

// "Code: 60. DB::Exception: ..."; up to 20.x "Code: 60, e.displayText() = DB::Exception: ...". What
// is none of its own exceptions has the name in front: "Poco::Exception. Code: 1000, ...". Anything
// else may be a proxy's page ("Status Code: 503") or a comment on a column.
std::optional<int> code_in_line(std::string_view line) noexcept {
    static constexpr std::string_view mark = "Code: ";
    bool is_named = false;
    for (const std::string_view name : {"Poco::Exception. ", "std::exception. "}) {
        if (!line.starts_with(name)) continue;
        line.remove_prefix(name.size());
        is_named = true;
    }
    if (!line.starts_with(mark)) return std::nullopt;
    line.remove_prefix(mark.size());
    const std::size_t end = line.find_first_not_of("0123456789");
    if (end == std::string_view::npos || (line[end] != '.' && line[end] != ',')) {
        return std::nullopt;
    }
    if (!is_named && line.find("DB::Exception") == std::string_view::npos) return std::nullopt;
    return number_in(line);
}

// It says nothing of the block nor of the table as it is: it may work later.
bool may_pass(int code) noexcept {
    switch (code) {
        case 3:     // UNEXPECTED_END_OF_FILE: the request was cut off on its way
        case 60:    // UNKNOWN_TABLE: Backend::prepare() says what to do about it
        case 74:    // CANNOT_READ_FROM_FILE_DESCRIPTOR
        case 75:    // CANNOT_WRITE_TO_FILE_DESCRIPTOR: its disk is full
        case 76:    // CANNOT_OPEN_FILE: it has too many open
        case 81:    // UNKNOWN_DATABASE: as 60
        case 95:    // CANNOT_READ_FROM_SOCKET
        case 96:    // CANNOT_WRITE_TO_SOCKET
        case 159:   // TIMEOUT_EXCEEDED
        case 160:   // TOO_SLOW
        case 173:   // CANNOT_ALLOCATE_MEMORY
        case 198:   // DNS_ERROR, of a cluster
        case 201:   // QUOTA_EXPIRED
        case 202:   // TOO_MANY_SIMULTANEOUS_QUERIES
        case 203:   // NO_FREE_CONNECTION
        case 204:   // CANNOT_FSYNC
        case 209:   // SOCKET_TIMEOUT
        case 210:   // NETWORK_ERROR
        case 216:   // QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING: our own, whose answer was lost
        case 218:   // TABLE_IS_DROPPED: as 60
        case 225:   // NO_ZOOKEEPER
        case 236:   // ABORTED: it stops
        case 241:   // MEMORY_LIMIT_EXCEEDED
        case 242:   // TABLE_IS_READ_ONLY: its replica is not ready
        case 243:   // NOT_ENOUGH_SPACE
        case 244:   // UNEXPECTED_ZOOKEEPER_ERROR
        case 252:   // TOO_MANY_PARTS
        case 254:   // NO_ACTIVE_REPLICAS
        case 279:   // ALL_CONNECTION_TRIES_FAILED
        case 285:   // TOO_FEW_LIVE_REPLICAS
        case 286:   // UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
        case 319:   // UNKNOWN_STATUS_OF_INSERT
        case 364:   // RECEIVED_ERROR_TOO_MANY_REQUESTS
        case 394:   // QUERY_WAS_CANCELLED
        case 425:   // SYSTEM_ERROR
        case 439:   // CANNOT_SCHEDULE_TASK
        case 473:   // DEADLOCK_AVOIDED
        case 499:   // S3_ERROR
        case 745:   // SERVER_OVERLOADED
        case 999:   // KEEPER_EXCEPTION
        case 1000:  // POCO_EXCEPTION
        case 1001:  // STD_EXCEPTION
            return true;
        default:
            return false;
    }
}

}  // namespace

ErrorClass class_of(int code) noexcept {
    if (may_pass(code)) return ErrorClass::later;
    switch (code) {
        case 8:    // THERE_IS_NO_COLUMN
        case 10:   // NOT_FOUND_COLUMN_IN_BLOCK
        case 16:   // NO_SUCH_COLUMN_IN_TABLE
        case 26:   // CANNOT_PARSE_QUOTED_STRING
        case 27:   // CANNOT_PARSE_INPUT_ASSERTION_FAILED
        case 32:   // ATTEMPT_TO_READ_AFTER_EOF: it expects longer rows
        case 33:   // CANNOT_READ_ALL_DATA: it expects rows of another length
        case 44:   // ILLEGAL_COLUMN
        case 47:   // UNKNOWN_IDENTIFIER
        case 53:   // TYPE_MISMATCH
        case 117:  // INCORRECT_DATA
        case 128:  // TOO_LARGE_ARRAY_SIZE
        case 131:  // TOO_LARGE_STRING_SIZE
        case 321:  // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
        case 349:  // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
            return ErrorClass::table;
        case 164:  // READONLY
        case 192:  // UNKNOWN_USER
        case 193:  // WRONG_PASSWORD
        case 194:  // REQUIRED_PASSWORD
        case 195:  // IP_ADDRESS_NOT_ALLOWED
        case 291:  // DATABASE_ACCESS_DENIED
        case 497:  // ACCESS_DENIED
        case 516:  // AUTHENTICATION_FAILED
            return ErrorClass::access;
        default:
            return ErrorClass::block;
    }
}

bool is_before_insert(int code) noexcept {
    return class_of(code) == ErrorClass::access || code == 202 || code == unknown_database_code;
}

std::optional<int> error_code(const push::Response& response) noexcept {
    static constexpr std::string_view header = "x-clickhouse-exception-code:";
    for (const std::string& line : response.headers) {
        std::string_view rest = line;
        if (!rest.starts_with(header)) continue;
        rest.remove_prefix(header.size());
        rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
        if (const std::optional<int> code = number_in(rest)) return code;
    }
    std::string_view body = response.body;
    while (!body.empty()) {
        const std::size_t end = std::min(body.find('\n'), body.size());
        if (const std::optional<int> code = code_in_line(body.substr(0, end))) return code;
        body.remove_prefix(std::min(end + 1, body.size()));
    }
    return std::nullopt;
}

std::string error_text(const push::Response& response) {
    if (response.status == 0) return response.error;
    std::string text = "HTTP " + std::to_string(response.status);
    if (!response.body.empty()) text += ": ";
    for (const char letter : response.body.substr(0, text_bytes_max)) {
        const bool is_control = static_cast<unsigned char>(letter) < 0x20;
        text += is_control ? ' ' : letter;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text.substr(0, text_bytes_max);
}

}  // namespace latmon::plugins::clickhouse
