// SPDX-License-Identifier: Apache-2.0
//
// The table of members below is the layout of a sample's values: the same for both directions.
#include "clickhouse/row.hpp"

#include <bit>
#include <cstddef>
#include <cstring>

namespace latmon::plugins::clickhouse {
namespace {

static_assert(std::endian::native == std::endian::little);

// A member of latmon_sample_t; `bit` of `valid` says whether it is there, 0 that it always is.
struct Member {
    std::uint32_t bit;
    std::uint16_t offset;
    std::uint16_t size;
};

#define MEMBER(bit, name)                                                   \
    Member {                                                                \
        bit, offsetof(latmon_sample_t, name), sizeof(latmon_sample_t::name) \
    }

constexpr Member fixed_members[] = {
    MEMBER(0, valid),     MEMBER(0, time_ns),      MEMBER(0, blame),    MEMBER(0, core),
    MEMBER(0, kind),      MEMBER(0, packet_bytes), MEMBER(0, status),   MEMBER(0, protocol),
    MEMBER(0, owd_class), MEMBER(0, t1_stamp),     MEMBER(0, t2_stamp), MEMBER(0, t3_stamp),
    MEMBER(0, t4_stamp)};

constexpr Member optional_members[] = {MEMBER(LATMON_HAS_RTT, rtt_ns),
                                       MEMBER(LATMON_HAS_RTT_USER, rtt_user_ns),
                                       MEMBER(LATMON_HAS_TURNAROUND, turnaround_ns),
                                       MEMBER(LATMON_HAS_LOCAL_TX, local_tx_ns),
                                       MEMBER(LATMON_HAS_LOCAL_RX, local_rx_ns),
                                       MEMBER(LATMON_HAS_PEER_RX, peer_rx_ns),
                                       MEMBER(LATMON_HAS_PEER_TX, peer_tx_ns),
                                       MEMBER(LATMON_HAS_OWD_FWD, owd_fwd_ns),
                                       MEMBER(LATMON_HAS_OWD_FWD_LO_HI, owd_fwd_lo_ns),
                                       MEMBER(LATMON_HAS_OWD_FWD_LO_HI, owd_fwd_hi_ns),
                                       MEMBER(LATMON_HAS_OWD_REV, owd_rev_ns),
                                       MEMBER(LATMON_HAS_OWD_REV_LO_HI, owd_rev_lo_ns),
                                       MEMBER(LATMON_HAS_OWD_REV_LO_HI, owd_rev_hi_ns),
                                       MEMBER(LATMON_HAS_T1, t1_ns),
                                       MEMBER(LATMON_HAS_T2, t2_ns),
                                       MEMBER(LATMON_HAS_T3, t3_ns),
                                       MEMBER(LATMON_HAS_T4, t4_ns),
                                       MEMBER(LATMON_HAS_CLOCK_ERROR_LOCAL, clock_error_local_ns),
                                       MEMBER(LATMON_HAS_CLOCK_ERROR_REMOTE, clock_error_remote_ns),
                                       MEMBER(LATMON_HAS_PEER_SEQUENCE, peer_sequence),
                                       MEMBER(LATMON_HAS_TTL_FWD, ttl_fwd),
                                       MEMBER(LATMON_HAS_TTL_REV, ttl_rev),
                                       MEMBER(LATMON_HAS_DSCP_FWD, dscp_fwd),
                                       MEMBER(LATMON_HAS_DSCP_REV, dscp_rev),
                                       MEMBER(LATMON_HAS_SCHEDULE, scheduled_ns),
                                       MEMBER(LATMON_HAS_SCHEDULE, lateness_ns),
                                       MEMBER(LATMON_HAS_ERROR, error),
                                       MEMBER(LATMON_HAS_VALUE, value),
                                       MEMBER(LATMON_HAS_PEER, peer_address),
                                       MEMBER(LATMON_HAS_PEER, peer_port),
                                       MEMBER(LATMON_HAS_PEER, ssid),
                                       MEMBER(LATMON_HAS_SEQUENCE, sequence),
                                       MEMBER(LATMON_HAS_TCP_ACK, tcp_ack_ns)};
#undef MEMBER

constexpr std::uint32_t known_bits() {
    std::uint32_t bits = 0;
    for (const Member& member : optional_members) {
        bits |= member.bit;
    }
    return bits;
}

template <typename Number>
void append_number(std::string& out, Number value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Takes octets off the front; once there are too few, it stays bad.
class Cursor {
public:
    explicit Cursor(std::string_view octets) : octets_(octets) {}

    void take(void* to, std::size_t size) {
        if (!is_good_ || octets_.size() < size) {
            is_good_ = false;
            return;
        }
        std::memcpy(to, octets_.data(), size);
        octets_.remove_prefix(size);
    }
    std::string_view string() {
        std::string_view text;
        is_good_ = is_good_ && take_string(octets_, text);
        return text;
    }
    std::uint64_t length() {
        std::uint64_t value = 0;
        is_good_ = is_good_ && take_length(octets_, value);
        return value;
    }
    [[nodiscard]] std::string_view rest() const noexcept { return octets_; }
    [[nodiscard]] bool is_good() const noexcept { return is_good_; }
    [[nodiscard]] bool is_at_end() const noexcept { return is_good_ && octets_.empty(); }

private:
    std::string_view octets_;
    bool is_good_ = true;
};

void read_labels(Cursor& cursor, Row& row) {
    cursor.take(&row.labels.port, sizeof(row.labels.port));
    row.labels.name = cursor.string();
    row.labels.source = cursor.string();
    row.labels.target = cursor.string();
    row.labels.host = cursor.string();
    const std::uint64_t count = cursor.length();
    const char* const first = cursor.rest().data();
    for (std::uint64_t index = 0; index < count && cursor.is_good(); ++index) {
        static_cast<void>(cursor.string());
        static_cast<void>(cursor.string());
    }
    row.tag_count = static_cast<std::uint32_t>(count);
    row.tags = std::string_view(first, static_cast<std::size_t>(cursor.rest().data() - first));
}

void take_member(Cursor& cursor, const Member& member, latmon_sample_t& sample) {
    cursor.take(reinterpret_cast<char*>(&sample) + member.offset, member.size);
}

// A bit without a member would shift all that follows: such a row is not of this layout.
bool read_values(Cursor& cursor, latmon_sample_t& sample) {
    for (const Member& member : fixed_members) {
        take_member(cursor, member, sample);
    }
    if ((sample.valid & ~known_bits()) != 0) return false;
    for (const Member& member : optional_members) {
        if ((sample.valid & member.bit) != 0) take_member(cursor, member, sample);
    }
    return true;
}

void read_point(Cursor& cursor, Row& row) {
    cursor.take(&row.sample.time_ns, sizeof(row.sample.time_ns));
    cursor.take(&row.sample.value, sizeof(row.sample.value));
    cursor.take(&row.taken_ns, sizeof(row.taken_ns));
    row.sample.valid = LATMON_HAS_VALUE;
}

std::size_t sample_size(std::uint32_t valid) noexcept {
    std::size_t size = 0;
    for (const Member& member : fixed_members) {
        size += member.size;
    }
    for (const Member& member : optional_members) {
        if ((valid & member.bit) != 0) size += member.size;
    }
    return size;
}

// The longest that a well-formed row can be is far below: a length is no reason to allocate.
constexpr std::uint64_t row_bytes_max = 16UL * 1024UL * 1024UL;

}  // namespace

void append_length(std::string& out, std::uint64_t length) {
    for (; length >= 0x80; length >>= 7U) {
        out += static_cast<char>((length & 0x7FU) | 0x80U);
    }
    out += static_cast<char>(length);
}

void append_string(std::string& out, std::string_view text) {
    append_length(out, text.size());
    out += text;
}

bool take_length(std::string_view& octets, std::uint64_t& length) {
    std::uint64_t value = 0;
    for (std::size_t index = 0; index < octets.size() && index < 5; ++index) {
        const unsigned octet = static_cast<unsigned char>(octets[index]);
        value |= static_cast<std::uint64_t>(octet & 0x7FU) << (7 * index);
        if ((octet & 0x80U) != 0) continue;
        octets.remove_prefix(index + 1);
        length = value;
        return true;
    }
    return false;
}

bool take_string(std::string_view& octets, std::string_view& text) {
    std::string_view rest = octets;
    std::uint64_t length = 0;
    if (!take_length(rest, length) || length > rest.size()) return false;
    text = rest.substr(0, length);
    octets = rest.substr(length);
    return true;
}

void append_labels(std::string& out, const Labels& labels, std::span<const Tag> tags) {
    append_number(out, labels.port);
    append_string(out, labels.name);
    append_string(out, labels.source);
    append_string(out, labels.target);
    append_string(out, labels.host);
    append_length(out, tags.size());
    for (const auto& [key, value] : tags) {
        append_string(out, key);
        append_string(out, value);
    }
}

void append_sample(std::string& out, const latmon_sample_t& sample, std::string_view labels) {
    latmon_sample_t known = sample;
    known.valid &= known_bits();
    out += static_cast<char>(Shape::sample);
    append_length(out, labels.size() + sample_size(known.valid));
    out += labels;
    const char* const octets = reinterpret_cast<const char*>(&known);
    for (const Member& member : fixed_members) {
        out.append(octets + member.offset, member.size);
    }
    for (const Member& member : optional_members) {
        if ((known.valid & member.bit) != 0) out.append(octets + member.offset, member.size);
    }
}

void append_point(std::string& out, const Point& point, std::string_view labels) {
    out += static_cast<char>(Shape::point);
    append_length(out, labels.size() + 3 * sizeof(std::int64_t));
    out += labels;
    append_number(out, point.time_ns);
    append_number(out, point.value_ns);
    append_number(out, point.taken_ns);
}

ReadResult read_row(std::string_view& octets, Row& row) {
    if (octets.empty()) return ReadResult::broken;
    std::string_view rest = octets.substr(1);
    std::uint64_t length = 0;
    if (!take_length(rest, length) || length > rest.size() || length > row_bytes_max) {
        return ReadResult::broken;
    }
    const char shape = octets.front();
    Cursor cursor(rest.substr(0, length));
    octets = rest.substr(length);
    row = Row{};
    if (shape != static_cast<char>(Shape::sample) && shape != static_cast<char>(Shape::point)) {
        return ReadResult::foreign;
    }
    row.shape = static_cast<Shape>(shape);
    read_labels(cursor, row);
    if (row.shape == Shape::point) {
        read_point(cursor, row);
    } else if (!read_values(cursor, row.sample)) {
        return ReadResult::foreign;
    }
    return cursor.is_at_end() ? ReadResult::row : ReadResult::foreign;
}

}  // namespace latmon::plugins::clickhouse
