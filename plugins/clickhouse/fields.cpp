// SPDX-License-Identifier: Apache-2.0
//
// The list. A new field of latmon/sample.h gets a line here, one in row.cpp, one in each schema of
// contrib/clickhouse and one in docs/exporters/clickhouse.md.
#include "clickhouse/fields.hpp"

#include "support/words.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <cstring>

namespace latmon::plugins::clickhouse {
namespace {

template <auto Pointer>
std::int64_t number(const Row& row) {
    return static_cast<std::int64_t>(row.sample.*Pointer);
}

template <auto Pointer>
std::string_view label(const Row& row, TextRoom&) {
    return row.labels.*Pointer;
}

template <auto Words, auto Pointer>
std::string_view word(const Row& row, TextRoom&) {
    return Words(row.sample.*Pointer);
}

// A counter was not asked anything that could fail.
std::string_view status_text(const Row& row, TextRoom&) {
    return row.sample.kind == LATMON_KIND_NODE ? "" : status_word(row.sample.status);
}

std::string_view error_text(const Row& row, TextRoom&) {
    if (row.sample.error == LATMON_ERROR_UNRESOLVED) return "UNRESOLVED";
    const char* const name = ::strerrorname_np(row.sample.error);  // glibc 2.32
    return name == nullptr ? "unknown" : name;
}

// inet_ntop() goes through printf for IPv4, which nearly all addresses are.
std::string_view ipv4_text(const std::uint8_t* octets, TextRoom& room) {
    char* end = room.data();
    for (int index = 0; index < 4; ++index) {
        if (index > 0) *end++ = '.';
        end = std::to_chars(end, room.data() + room.size(), octets[index]).ptr;
    }
    return {room.data(), static_cast<std::size_t>(end - room.data())};
}

std::string_view peer_text(const Row& row, TextRoom& room) {
    static constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    const std::uint8_t* const address = row.sample.peer_address;
    if (std::memcmp(address, mapped, sizeof(mapped)) == 0) {
        return ipv4_text(address + sizeof(mapped), room);
    }
    const char* const text =
        ::inet_ntop(AF_INET6, address, room.data(), std::tuple_size_v<TextRoom>);
    return text == nullptr ? "" : text;
}

std::int64_t port_number(const Row& row) {
    return row.labels.port;
}

std::int64_t taken_number(const Row& row) {
    return row.taken_ns;
}

using Sample = latmon_sample_t;

constexpr Field key(Field field) {
    field.is_key = true;
    field.is_key_time = field.kind == Field::Kind::time;
    return field;
}

// A span of time: signed, for nothing is clamped.
template <auto Pointer>
constexpr Field span_of(std::string_view name, std::uint32_t needs) {
    return {.name = name,
            .kind = Field::Kind::integer,
            .bits = 63,
            .is_signed = true,
            .needs = needs,
            .integer = number<Pointer>};
}

template <auto Pointer>
constexpr Field count_of(std::string_view name, std::uint32_t needs = 0) {
    using Number = std::remove_reference_t<decltype(std::declval<Sample&>().*Pointer)>;
    return {.name = name,
            .kind = Field::Kind::integer,
            .bits = 8 * sizeof(Number),
            .needs = needs,
            .integer = number<Pointer>};
}

template <auto Pointer>
constexpr Field time_of(std::string_view name, std::uint32_t needs = 0) {
    return {.name = name,
            .kind = Field::Kind::time,
            .bits = 63,
            .needs = needs,
            .integer = number<Pointer>};
}

constexpr Field text_of(std::string_view name, std::string_view (*text)(const Row&, TextRoom&),
                        std::uint32_t needs = 0) {
    return {.name = name, .kind = Field::Kind::text, .needs = needs, .text = text};
}

constexpr Field sample_list[] = {
    key(time_of<&Sample::time_ns>("time")),
    key(time_of<&Sample::time_ns>("time_ns")),
    key(text_of("kind", word<kind_word, &Sample::kind>)),
    key(text_of("protocol", word<protocol_word, &Sample::protocol>)),
    key(text_of("status", status_text)),
    key(text_of("name", label<&Labels::name>)),
    key(text_of("source", label<&Labels::source>)),
    key(text_of("target", label<&Labels::target>)),
    key(text_of("host", label<&Labels::host>)),
    {.name = "port", .kind = Field::Kind::integer, .bits = 16, .integer = port_number},
    {.name = "tags", .kind = Field::Kind::tags},
    key(count_of<&Sample::core>("core")),
    key(count_of<&Sample::sequence>("sequence", LATMON_HAS_SEQUENCE)),
    count_of<&Sample::packet_bytes>("packet_bytes"),
    count_of<&Sample::valid>("valid"),
    {.name = "blame", .kind = Field::Kind::blame, .bits = 32, .integer = number<&Sample::blame>},
    time_of<&Sample::scheduled_ns>("scheduled_ns", LATMON_HAS_SCHEDULE),
    span_of<&Sample::lateness_ns>("lateness_ns", LATMON_HAS_SCHEDULE),
    key(span_of<&Sample::rtt_ns>("rtt_ns", LATMON_HAS_RTT)),
    key(span_of<&Sample::rtt_user_ns>("rtt_user_ns", LATMON_HAS_RTT_USER)),
    span_of<&Sample::turnaround_ns>("turnaround_ns", LATMON_HAS_TURNAROUND),
    span_of<&Sample::local_tx_ns>("local_tx_ns", LATMON_HAS_LOCAL_TX),
    span_of<&Sample::local_rx_ns>("local_rx_ns", LATMON_HAS_LOCAL_RX),
    span_of<&Sample::peer_rx_ns>("peer_rx_ns", LATMON_HAS_PEER_RX),
    span_of<&Sample::peer_tx_ns>("peer_tx_ns", LATMON_HAS_PEER_TX),
    text_of("owd_class", word<owd_class_word, &Sample::owd_class>),
    span_of<&Sample::owd_fwd_ns>("owd_fwd_ns", LATMON_HAS_OWD_FWD),
    span_of<&Sample::owd_fwd_lo_ns>("owd_fwd_lo_ns", LATMON_HAS_OWD_FWD_LO_HI),
    span_of<&Sample::owd_fwd_hi_ns>("owd_fwd_hi_ns", LATMON_HAS_OWD_FWD_LO_HI),
    span_of<&Sample::owd_rev_ns>("owd_rev_ns", LATMON_HAS_OWD_REV),
    span_of<&Sample::owd_rev_lo_ns>("owd_rev_lo_ns", LATMON_HAS_OWD_REV_LO_HI),
    span_of<&Sample::owd_rev_hi_ns>("owd_rev_hi_ns", LATMON_HAS_OWD_REV_LO_HI),
    key(span_of<&Sample::t1_ns>("t1_ns", LATMON_HAS_T1)),
    span_of<&Sample::t2_ns>("t2_ns", LATMON_HAS_T2),
    span_of<&Sample::t3_ns>("t3_ns", LATMON_HAS_T3),
    span_of<&Sample::t4_ns>("t4_ns", LATMON_HAS_T4),
    text_of("t1_stamp", word<stamp_word, &Sample::t1_stamp>),
    text_of("t2_stamp", word<stamp_word, &Sample::t2_stamp>),
    text_of("t3_stamp", word<stamp_word, &Sample::t3_stamp>),
    text_of("t4_stamp", word<stamp_word, &Sample::t4_stamp>),
    span_of<&Sample::clock_error_local_ns>("clock_error_local_ns", LATMON_HAS_CLOCK_ERROR_LOCAL),
    span_of<&Sample::clock_error_remote_ns>("clock_error_remote_ns", LATMON_HAS_CLOCK_ERROR_REMOTE),
    count_of<&Sample::tcp_ack_ns>("tcp_ack_ns", LATMON_HAS_TCP_ACK),
    key(count_of<&Sample::peer_sequence>("peer_sequence", LATMON_HAS_PEER_SEQUENCE)),
    text_of("peer_address", peer_text, LATMON_HAS_PEER),
    key(count_of<&Sample::peer_port>("peer_port", LATMON_HAS_PEER)),
    count_of<&Sample::ssid>("ssid", LATMON_HAS_PEER),
    count_of<&Sample::ttl_fwd>("ttl_fwd", LATMON_HAS_TTL_FWD),
    count_of<&Sample::ttl_rev>("ttl_rev", LATMON_HAS_TTL_REV),
    count_of<&Sample::dscp_fwd>("dscp_fwd", LATMON_HAS_DSCP_FWD),
    count_of<&Sample::dscp_rev>("dscp_rev", LATMON_HAS_DSCP_REV),
    key(span_of<&Sample::value>("value", LATMON_HAS_VALUE)),
    {.name = "error",
     .kind = Field::Kind::integer,
     .bits = 31,
     .is_signed = true,
     .needs = LATMON_HAS_ERROR,
     .integer = number<&Sample::error>},
    text_of("error_name", error_text, LATMON_HAS_ERROR),
};

// A point's value is never negative.
constexpr std::array<Field, point_field_count> point_list{{
    key(text_of("the metric's name", label<&Labels::name>)),
    key(time_of<&Sample::time_ns>("the time stamp")),
    {.name = "the value",
     .kind = Field::Kind::integer,
     .bits = 63,
     .integer = number<&Sample::value>,
     .is_key = true},
    {.name = "the tags", .kind = Field::Kind::tags, .is_key = true},
    {.name = "the time of insertion",
     .kind = Field::Kind::time,
     .bits = 63,
     .integer = taken_number,
     .is_key = true},
}};

}  // namespace

std::span<const Field> sample_fields() noexcept {
    return sample_list;
}

std::span<const Field, point_field_count> point_fields() noexcept {
    return point_list;
}

}  // namespace latmon::plugins::clickhouse
