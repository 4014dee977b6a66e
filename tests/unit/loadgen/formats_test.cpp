// SPDX-License-Identifier: Apache-2.0
//
// Claims about packets: what a simulated sender writes, a simulated target understands and answers,
// and the sender knows the answer for its own.
#include "loadgen/probe_format.hpp"
#include "loadgen/target_format.hpp"
#include "wire/ancestor.hpp"
#include "wire/auth.hpp"
#include "wire/tlv_reply.hpp"

#include <doctest/doctest.h>
#include <array>
#include <string_view>

namespace latmon::loadgen {
namespace {

const std::array<std::byte, 16> secret{std::byte{1}};
const std::array<std::byte, 16> wrong_secret{std::byte{2}};
constexpr ReplyFacts facts{.t2 = WallTime{1'800'000'000'000'000'000},
                           .t3 = WallTime{1'800'000'000'000'000'500},
                           .dwell = Duration{77},
                           .sequence = 3,
                           .ttl = 64,
                           .has_kernel_t2 = true};

std::vector<std::byte> written(ProbeFormat& format, Shot& shot, std::uint16_t ssid = 9) {
    std::vector<std::byte> packet(format.size_bytes_max());
    format.write(shot, ssid, packet);
    packet.resize(format.size_bytes(shot.sender));
    return packet;
}

WallTime now() {
    return OsClock().wall_now();
}

TEST_CASE("formats: a STAMP exchange holds what both sides said, with and without a key") {
    const HmacKey key(secret);
    for (const HmacKey* const each : {static_cast<const HmacKey*>(nullptr), &key}) {
        const std::unique_ptr<ProbeFormat> sender =
            make_stamp_format({.sizes_bytes = {200}, .key = each});
        TargetFormat target(PacketKind::stamp, each);
        Shot shot{.sequence = 7, .due = {}, .sent_at = {}, .raw_sent_at = {}, .t1 = {}};
        std::vector<std::byte> packet = written(*sender, shot);
        CHECK(packet.size() == 200);
        REQUIRE(target.read(packet, now()) == 9);

        ReplyFacts today = facts;
        today.t2 = now();
        today.t3 = today.t2 + Duration{500};
        target.write(packet, today);
        CHECK(packet.size() == 200);
        const std::optional<Echo> echo = sender->read(0, packet);
        REQUIRE(echo);
        CHECK(echo->sequence == 7);
        CHECK(echo->ssid == 9);
        CHECK(echo->t1 == shot.t1);
        CHECK(echo->turnaround == Duration{500});
        const std::optional<ReflectorPacket> reply = decode_reflector(packet, each);
        REQUIRE(reply);
        CHECK(reply->sequence == 3);
        CHECK(reply->sender_ttl == 64);
        CHECK_FALSE(target.read(packet, now()));  // Never reflected again.
    }
}

TEST_CASE("formats: another key, or none, is understood on neither side") {
    const HmacKey key(secret);
    const HmacKey wrong_key(wrong_secret);
    const std::unique_ptr<ProbeFormat> sender =
        make_stamp_format({.sizes_bytes = {112}, .key = &key});
    Shot shot{.due = {}, .sent_at = {}, .raw_sent_at = {}, .t1 = {}};
    std::vector<std::byte> packet = written(*sender, shot);
    CHECK_FALSE(TargetFormat(PacketKind::stamp, &wrong_key).read(packet, now()));
    TargetFormat target(PacketKind::stamp, &key);
    REQUIRE(target.read(packet, now()));
    target.write(packet, facts);
    packet[40] ^= std::byte{1};
    CHECK_FALSE(sender->read(0, packet));
}

TEST_CASE("formats: TLVs that were asked for are answered like a latmon's") {
    const std::unique_ptr<ProbeFormat> sender = make_stamp_format(
        {.sizes_bytes = {200}, .tlvs = tlv_set::exchange | tlv_set::direct_measurement});
    Shot shot{.sequence = 4, .due = {}, .sent_at = {}, .raw_sent_at = {}, .t1 = {}};
    std::vector<std::byte> packet = written(*sender, shot);
    TargetFormat(PacketKind::stamp).write(packet, facts);
    const ReplyTlvs tlvs = read_reply_tlvs(
        std::span<const std::byte>(packet).subspan(limits::stamp_base_bytes), TlvSeal{});
    REQUIRE(tlvs.exchange);
    CHECK(tlvs.exchange->peer_rx_ns == 77);
    CHECK(tlvs.exchange->flags == (exchange_flags::stateful | exchange_flags::t2_kernel));
    REQUIRE(tlvs.direct_measurement);
    CHECK(tlvs.direct_measurement->sender_sent == 5);
    CHECK(tlvs.direct_measurement->reflector_sent == 4);
    CHECK(tlvs.unrecognized_count == 0);
}

TEST_CASE("formats: senders have the sizes in turn") {
    const std::unique_ptr<ProbeFormat> sender = make_stamp_format({.sizes_bytes = {44, 1'400}});
    CHECK(sender->size_bytes(0) == 44);
    CHECK(sender->size_bytes(3) == 1'400);
    CHECK(sender->size_bytes_max() == 1'400);
}

TEST_CASE("formats: latency-monitor's packets are answered in kind, and as long") {
    const std::unique_ptr<ProbeFormat> sender = make_ancestor_format({0, 200}, 2);
    TargetFormat target(PacketKind::ancestor);
    for (std::uint32_t sequence = 0; sequence < 250; ++sequence) {
        Shot shot{.sender = sequence % 2,
                  .sequence = sequence,
                  .due = {},
                  .sent_at = {},
                  .raw_sent_at = {},
                  .t1 = {}};
        std::vector<std::byte> packet = written(*sender, shot);
        const std::size_t bytes = packet.size();
        REQUIRE(target.read(packet, now()) == 0);
        target.write(packet, facts);
        CHECK(packet.size() == bytes);
        REQUIRE(decode_ancestor(packet));
        CHECK(decode_ancestor(packet)->time_ns == facts.t2.ns);
        const std::optional<Echo> echo = sender->read(shot.sender, packet);
        REQUIRE(echo);
        CHECK(echo->sequence == sequence);
        CHECK_FALSE(echo->t1);
        CHECK_FALSE(echo->turnaround);
    }
}

TEST_CASE("formats: a number that a sender has not come to yet is no reply to it") {
    const std::unique_ptr<ProbeFormat> sender = make_ancestor_format({0}, 1);
    Shot shot{.sequence = 3, .due = {}, .sent_at = {}, .raw_sent_at = {}, .t1 = {}};
    std::vector<std::byte> packet = written(*sender, shot);
    REQUIRE(sender->read(0, packet));
    packet[0] = std::byte{'4'};
    CHECK_FALSE(sender->read(0, packet));
    packet[0] = std::byte{'x'};
    CHECK_FALSE(sender->read(0, packet));
}

TEST_CASE("formats: a probe that others passed leaves their numbers known") {
    const std::unique_ptr<ProbeFormat> sender = make_ancestor_format({0}, 1);
    Shot shot{.sequence = 205, .due = {}, .sent_at = {}, .raw_sent_at = {}, .t1 = {}};
    const std::vector<std::byte> newer = written(*sender, shot);
    shot.sequence = 203;
    const std::vector<std::byte> older = written(*sender, shot);
    REQUIRE(sender->read(0, newer));
    CHECK(sender->read(0, newer)->sequence == 205);
    REQUIRE(sender->read(0, older));
    CHECK(sender->read(0, older)->sequence == 203);
}

// A latmon that says hello gets its hello back as it is, as the Python tool would do it: so it
// takes the target for one. Its own replies are never answered.
TEST_CASE("formats: the spaces of latmon's hello are echoed, and its replies left alone") {
    TargetFormat target(PacketKind::ancestor);
    for (std::uint8_t hello = 0; hello <= ancestor_hello_reflected; ++hello) {
        std::vector<std::byte> packet(120, std::byte{'0'});
        (void)encode_ancestor_head({.sequence = 5,
                                    .source = "berlin",
                                    .time_ns = facts.t2.ns,
                                    .tags = "['isp:local']",
                                    .hello = hello},
                                   packet);
        REQUIRE(target.read(packet, now()).has_value() == (hello < ancestor_hello_reflected));
        if (hello == ancestor_hello_reflected) continue;
        target.write(packet, facts);
        const std::optional<AncestorPacket> reply = decode_ancestor(packet);
        REQUIRE(reply);
        CHECK(reply->hello == hello);
        CHECK(reply->tags == "['isp:local']");
        CHECK(reply->sequence == 5);
    }
}

TEST_CASE("formats: neither kind of target understands the other's packets, nor noise") {
    const std::unique_ptr<ProbeFormat> stamp = make_stamp_format({.sizes_bytes = {100}});
    const std::unique_ptr<ProbeFormat> ancestor = make_ancestor_format({100}, 1);
    Shot shot{.due = {}, .sent_at = {}, .raw_sent_at = {}, .t1 = {}};
    CHECK_FALSE(TargetFormat(PacketKind::ancestor).read(written(*stamp, shot), now()));
    CHECK_FALSE(TargetFormat(PacketKind::stamp).read(written(*ancestor, shot), now()));
    CHECK_FALSE(TargetFormat(PacketKind::stamp).read(std::array<std::byte, 43>{}, now()));
    CHECK_FALSE(TargetFormat(PacketKind::ancestor).read(std::array<std::byte, 43>{}, now()));
}

}  // namespace
}  // namespace latmon::loadgen
