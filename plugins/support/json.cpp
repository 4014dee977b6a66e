// SPDX-License-Identifier: Apache-2.0
//
// JSON by hand: one shape, no tree in memory, no library. The tables below are the shape.
#include "support/json.hpp"

#include "support/json_object.hpp"
#include "support/words.hpp"

#include <arpa/inet.h>
#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstring>

namespace latmon::plugins {
namespace {

struct TimeField {
    std::uint32_t bit;
    std::string_view name;
    std::int64_t latmon_sample_t::*field;
    bool is_instant =
        false;  // A point in time, since 1970: may be text, without "_ns" in its name.
};

constexpr TimeField time_fields[] = {
    {LATMON_HAS_SCHEDULE, "scheduled_ns", &latmon_sample_t::scheduled_ns, true},
    {LATMON_HAS_SCHEDULE, "lateness_ns", &latmon_sample_t::lateness_ns},
    {LATMON_HAS_RTT, "rtt_ns", &latmon_sample_t::rtt_ns},
    {LATMON_HAS_RTT_USER, "rtt_user_ns", &latmon_sample_t::rtt_user_ns},
    {LATMON_HAS_TURNAROUND, "turnaround_ns", &latmon_sample_t::turnaround_ns},
    {LATMON_HAS_LOCAL_TX, "local_tx_ns", &latmon_sample_t::local_tx_ns},
    {LATMON_HAS_LOCAL_RX, "local_rx_ns", &latmon_sample_t::local_rx_ns},
    {LATMON_HAS_PEER_RX, "peer_rx_ns", &latmon_sample_t::peer_rx_ns},
    {LATMON_HAS_PEER_TX, "peer_tx_ns", &latmon_sample_t::peer_tx_ns},
    {LATMON_HAS_OWD_FWD, "owd_fwd_ns", &latmon_sample_t::owd_fwd_ns},
    {LATMON_HAS_OWD_FWD_LO_HI, "owd_fwd_lo_ns", &latmon_sample_t::owd_fwd_lo_ns},
    {LATMON_HAS_OWD_FWD_LO_HI, "owd_fwd_hi_ns", &latmon_sample_t::owd_fwd_hi_ns},
    {LATMON_HAS_OWD_REV, "owd_rev_ns", &latmon_sample_t::owd_rev_ns},
    {LATMON_HAS_OWD_REV_LO_HI, "owd_rev_lo_ns", &latmon_sample_t::owd_rev_lo_ns},
    {LATMON_HAS_OWD_REV_LO_HI, "owd_rev_hi_ns", &latmon_sample_t::owd_rev_hi_ns},
    {LATMON_HAS_T1, "t1_ns", &latmon_sample_t::t1_ns, true},
    {LATMON_HAS_T2, "t2_ns", &latmon_sample_t::t2_ns, true},
    {LATMON_HAS_T3, "t3_ns", &latmon_sample_t::t3_ns, true},
    {LATMON_HAS_T4, "t4_ns", &latmon_sample_t::t4_ns, true},
    {LATMON_HAS_CLOCK_ERROR_LOCAL, "clock_error_local_ns", &latmon_sample_t::clock_error_local_ns},
    {LATMON_HAS_CLOCK_ERROR_REMOTE, "clock_error_remote_ns",
     &latmon_sample_t::clock_error_remote_ns},
};

struct SmallField {
    std::uint32_t bit;
    std::string_view name;
    std::uint8_t latmon_sample_t::*field;
};

constexpr SmallField small_fields[] = {
    {LATMON_HAS_TTL_FWD, "ttl_fwd", &latmon_sample_t::ttl_fwd},
    {LATMON_HAS_TTL_REV, "ttl_rev", &latmon_sample_t::ttl_rev},
    {LATMON_HAS_DSCP_FWD, "dscp_fwd", &latmon_sample_t::dscp_fwd},
    {LATMON_HAS_DSCP_REV, "dscp_rev", &latmon_sample_t::dscp_rev},
};

struct StampField {
    std::string_view name;
    std::uint8_t latmon_sample_t::*field;
};

constexpr StampField stamp_fields[] = {
    {"t1_stamp", &latmon_sample_t::t1_stamp},
    {"t2_stamp", &latmon_sample_t::t2_stamp},
    {"t3_stamp", &latmon_sample_t::t3_stamp},
    {"t4_stamp", &latmon_sample_t::t4_stamp},
};

// One code point off the front of `rest`; U+FFFD for an octet that starts none.
// Well-formed sequences: Unicode 15, table 3-7.
char32_t next_code_point(std::string_view& rest) noexcept {
    const auto octet = [&](std::size_t index) -> std::uint32_t {
        return index < rest.size() ? static_cast<unsigned char>(rest[index]) : 0;
    };
    const std::uint32_t first = octet(0);
    const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    std::uint32_t value = length == 1 ? first : first & (0xFFU >> (length + 1));
    bool is_sound = first < 0x80 || (first >= 0xC2 && first <= 0xF4);
    for (std::size_t index = 1; index < length; ++index) {
        is_sound = is_sound && (octet(index) & 0xC0U) == 0x80;
        value = (value << 6U) | (octet(index) & 0x3FU);
    }
    constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    is_sound = is_sound && value >= least[length] && value <= 0x10FFFF &&
               (value < 0xD800 || value > 0xDFFF);
    rest.remove_prefix(is_sound ? length : 1);
    return is_sound ? value : 0xFFFD;
}

// `value` >= 0 with leading zeros.
void append_digits(std::string& out, std::int64_t value, std::size_t digits) {
    std::array<char, 20> text;
    text.fill('0');
    char* const end = text.data() + text.size();
    char* first = end;
    for (; value > 0; value /= 10) {
        *--first = static_cast<char>('0' + value % 10);
    }
    out.append(std::min(first, end - digits), end);
}

void append_unit(std::string& out, std::uint32_t unit) {
    constexpr std::string_view digits = "0123456789abcdef";
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) {
        out += digits[(unit >> static_cast<unsigned>(shift)) & 0xFU];
    }
}

void append_escaped(std::string& out, char32_t code_point) {
    constexpr std::string_view special = "\"\\\b\f\n\r\t";
    constexpr std::string_view letters = "\"\\bfnrt";
    const std::uint32_t value = code_point;
    const std::size_t place =
        value < 0x80 ? special.find(static_cast<char>(value)) : std::string_view::npos;
    if (place != std::string_view::npos) {
        out += '\\';
        out += letters[place];
    } else if (value >= 0x20 && value < 0x7F) {
        out += static_cast<char>(value);
    } else if (value < 0x10000) {
        append_unit(out, value);
    } else {
        append_unit(out, 0xD800 + ((value - 0x10000) >> 10U));
        append_unit(out, 0xDC00 + ((value - 0x10000) & 0x3FFU));
    }
}

void append_node(JsonObject& object, const latmon_sample_t& sample, const latmon_series_t* series) {
    if (series != nullptr) {
        object.text("name", series->name);
        object.text("source", series->source);
        // Of a path, an exporter or an interface; the node's own have none.
        if (*series->target != '\0') object.text("target", series->target);
        if (series->protocol != LATMON_PROTOCOL_NONE) {
            object.word("protocol", protocol_word(series->protocol));
        }
    }
    object.number("series_id", sample.series_id);
    object.number("core", sample.core);
    object.instant("time_ns", sample.time_ns);
    if ((sample.valid & LATMON_HAS_VALUE) != 0) object.number("value", sample.value);
}

bool is_of_application(std::uint8_t kind) noexcept {
    return kind >= LATMON_KIND_COUNTER && kind <= LATMON_KIND_TIMING;
}

void append_application(JsonObject& object, const latmon_sample_t& sample,
                        const latmon_series_t* series) {
    if (series != nullptr) {
        object.text("name", series->name);
        object.text("source", series->source);
        if (*series->target != '\0') object.text("target", series->target);
        object.tags(*series);
    }
    object.number("series_id", sample.series_id);
    object.number("core", sample.core);
    object.instant("time_ns", sample.time_ns);
    if ((sample.valid & LATMON_HAS_VALUE) == 0) return;
    if (sample.kind == LATMON_KIND_GAUGE) {
        object.real("value", std::bit_cast<double>(sample.value));
    } else {
        const bool is_time = sample.kind == LATMON_KIND_TIMING;
        object.number(is_time ? "value_ns" : "value", sample.value);
    }
}

std::string_view error_name(std::int32_t error) {
    if (error == LATMON_ERROR_UNRESOLVED) return "UNRESOLVED";
    const char* const name = ::strerrorname_np(error);  // glibc 2.32
    return name == nullptr ? "unknown" : name;
}

void append_optional(JsonObject& object, const latmon_sample_t& sample) {
    const auto has = [&](std::uint32_t bit) -> bool { return (sample.valid & bit) != 0; };
    for (const TimeField& field : time_fields) {
        if (!has(field.bit)) continue;
        if (field.is_instant) {
            object.instant(field.name, sample.*field.field);
        } else {
            object.number(field.name, sample.*field.field);
        }
    }
    if (sample.owd_class != LATMON_OWD_NONE) {
        object.word("owd_class", owd_class_word(sample.owd_class));
    }
    for (const StampField& field : stamp_fields) {
        if (sample.*field.field != LATMON_STAMP_NONE) {
            object.word(field.name, stamp_word(sample.*field.field));
        }
    }
    for (const SmallField& field : small_fields) {
        if (has(field.bit)) object.number(field.name, sample.*field.field);
    }
    if (has(LATMON_HAS_TCP_ACK)) object.number("tcp_ack_ns", sample.tcp_ack_ns);
    if (has(LATMON_HAS_PEER_SEQUENCE)) object.number("peer_sequence", sample.peer_sequence);
    if (has(LATMON_HAS_PEER)) {
        object.word("peer_address", address_text(sample.peer_address));
        object.number("peer_port", sample.peer_port);
        object.number("ssid", sample.ssid);
    }
    if (has(LATMON_HAS_VALUE)) object.number("value", sample.value);
    if (has(LATMON_HAS_ERROR)) {
        object.number("error", sample.error);
        object.word("error_name", error_name(sample.error));
    }
}

void append_measurement(JsonObject& object, const latmon_sample_t& sample,
                        const latmon_series_t* series) {
    object.word("status", status_word(sample.status));
    object.word("protocol", protocol_word(sample.protocol));
    if (series != nullptr) {
        object.text("source", series->source);
        object.text("target", series->target);
        object.tags(*series);
    }
    object.number("series_id", sample.series_id);
    if ((sample.valid & LATMON_HAS_SEQUENCE) != 0) object.number("sequence", sample.sequence);
    object.number("core", sample.core);
    object.instant("time_ns", sample.time_ns);
    // A handshake carries nothing of ours.
    if (sample.kind != LATMON_KIND_CONNECT) object.number("packet_bytes", sample.packet_bytes);
    append_optional(object, sample);
    object.blame(sample.blame);
}

}  // namespace

void append_json_string(std::string& out, std::string_view utf8) {
    out += '"';
    while (!utf8.empty()) {
        append_escaped(out, next_code_point(utf8));
    }
    out += '"';
}

void append_integer(std::string& out, std::int64_t value) {
    std::array<char, 20> digits;  // "-9223372036854775808"
    const std::to_chars_result end =
        std::to_chars(digits.data(), digits.data() + digits.size(), value);
    out.append(digits.data(), end.ptr);
}

std::string address_text(const std::uint8_t* address) {
    static constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    const bool is_ipv4 = std::memcmp(address, mapped, sizeof(mapped)) == 0;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (is_ipv4) {
        ::inet_ntop(AF_INET, address + sizeof(mapped), text.data(), text.size());
    } else {
        ::inet_ntop(AF_INET6, address, text.data(), text.size());
    }
    return text.data();
}

void append_rfc3339(std::string& out, std::int64_t time_ns) {
    using std::chrono::nanoseconds;
    using std::chrono::seconds;
    // Round down, also before 1970.
    const nanoseconds since_1970(time_ns);
    const seconds whole = std::chrono::floor<seconds>(since_1970);
    const std::chrono::days days = std::chrono::floor<std::chrono::days>(whole);
    const std::chrono::year_month_day date{std::chrono::sys_days(days)};
    const std::int64_t of_day_s = (whole - days).count();
    append_digits(out, static_cast<int>(date.year()), 4);
    out += '-';
    append_digits(out, static_cast<unsigned>(date.month()), 2);
    out += '-';
    append_digits(out, static_cast<unsigned>(date.day()), 2);
    out += 'T';
    append_digits(out, of_day_s / 3600, 2);
    out += ':';
    append_digits(out, of_day_s / 60 % 60, 2);
    out += ':';
    append_digits(out, of_day_s % 60, 2);
    out += '.';
    // Not the difference: `whole` in nanoseconds does not fit in the first second that there is.
    const std::int64_t rest_ns = time_ns % 1'000'000'000;
    append_digits(out, rest_ns < 0 ? rest_ns + 1'000'000'000 : rest_ns, 9);
    out += 'Z';
}

void append_json_sample(std::string& out, const latmon_sample_t& sample,
                        const latmon_series_t* series, Timestamps timestamps) {
    JsonObject object(out, timestamps);
    object.number("v", 1);
    object.word("kind", kind_word(sample.kind));
    if (sample.kind == LATMON_KIND_NODE) {
        append_node(object, sample, series);
    } else if (is_of_application(sample.kind)) {
        append_application(object, sample, series);
    } else {
        append_measurement(object, sample, series);
    }
    object.end();
}

}  // namespace latmon::plugins
