// SPDX-License-Identifier: Apache-2.0
//
// See target_format.hpp.
#include "loadgen/target_format.hpp"

#include "base/assert.hpp"
#include "wire/ancestor.hpp"
#include "wire/auth.hpp"
#include "wire/tlv_reflect.hpp"

#include <algorithm>

namespace latmon::loadgen {
namespace {

// A time with fewer digits than any since 2001 might leave no room for ours.
constexpr std::int64_t long_time_ns = 1'000'000'000'000'000'000;

std::optional<AncestorPacket> read_ancestor(std::span<const std::byte> packet) noexcept {
    const std::optional<AncestorPacket> request = decode_ancestor(packet);
    if (!request || request->hello >= ancestor_hello_reflected) return std::nullopt;
    return request->time_ns >= long_time_ns ? request : std::nullopt;
}

}  // namespace

std::string_view to_text(PacketKind kind) noexcept {
    return kind == PacketKind::stamp ? "stamp" : "latency-monitor";
}

std::optional<std::uint16_t> TargetFormat::read(std::span<const std::byte> packet,
                                                WallTime now) const noexcept {
    if (kind_ == PacketKind::ancestor) {
        return read_ancestor(packet) ? std::optional<std::uint16_t>(0) : std::nullopt;
    }
    if (packet.size() < base_bytes_of(key_)) return std::nullopt;
    if (key_ == nullptr) {
        if (decode_ancestor(packet) || looks_reflected(packet, now)) return std::nullopt;
    } else if (!verify_auth(packet, *key_) || looks_reflected_auth(packet, now)) {
        return std::nullopt;
    }
    return decode_sender(packet, key_)->ssid;
}

void TargetFormat::write(std::span<std::byte> packet, const ReplyFacts& facts) {
    if (kind_ == PacketKind::ancestor) {
        write_ancestor(packet, facts);
    } else {
        write_stamp(packet, facts);
    }
}

void TargetFormat::write_stamp(std::span<std::byte> packet,
                               const ReplyFacts& facts) const noexcept {
    const std::optional<SenderPacket> request = decode_sender(packet, key_);
    LATMON_ASSERT(request && packet.size() >= base_bytes_of(key_));
    const SessionFacts session{.received_count = facts.sequence + 1,
                               .sent_count = facts.sequence + 1};
    const std::uint8_t t2_flag = facts.has_kernel_t2 ? exchange_flags::t2_kernel : 0;
    const ReflectorFacts reflector{
        .seal = {.sequence = request->sequence, .key = key_, .is_required = key_ != nullptr},
        .reply_sequence = facts.sequence,
        .timestamp_info = {.sync_source_in = sync_source::free_running,
                           .method_in = stamp_method::software,
                           .sync_source_out = sync_source::free_running,
                           .method_out = stamp_method::software},
        .session = &session,
        .exchange = {.flags = static_cast<std::uint8_t>(exchange_flags::stateful | t2_flag),
                     .peer_rx_ns = saturate_ns(facts.dwell),
                     .clock_epoch = 1}};
    static_cast<void>(reflect_tlvs(packet.subspan(base_bytes_of(key_)), reflector));
    // Sender and targets share a host and so a clock: nothing is ever less than synchronised here,
    // but the estimate must not say that it was by an outside source.
    const std::uint16_t error_estimate = encode_error_estimate({.error = Duration::from_us(1)});
    encode_reflector({.sequence = facts.sequence,
                      .t3 = to_ntp(facts.t3),
                      .error_estimate = error_estimate,
                      .ssid = request->ssid,
                      .t2 = to_ntp(facts.t2),
                      .sender_sequence = request->sequence,
                      .sender_t1 = request->t1,
                      .sender_error_estimate = request->error_estimate,
                      .sender_ttl = facts.ttl},
                     key_, packet);
}

// As the Python tool answers, spaces behind the tags and all, so that latmon takes it for one. The
// source is no longer than the request's: so there is always room.
void TargetFormat::write_ancestor(std::span<std::byte> packet, const ReplyFacts& facts) {
    const std::optional<AncestorPacket> request = read_ancestor(packet);
    LATMON_ASSERT(request);
    tags_ = request->tags;
    const std::size_t head_bytes =
        encode_ancestor_head({.sequence = request->sequence,
                              .source = request->source.empty() ? "" : "t",
                              .time_ns = facts.t2.ns,
                              .tags = tags_,
                              .hello = request->hello},
                             packet);
    std::ranges::fill(packet.subspan(head_bytes), std::byte{'0'});
}

}  // namespace latmon::loadgen
