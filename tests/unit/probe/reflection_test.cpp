// SPDX-License-Identifier: Apache-2.0
//
// What a reply says about its request and about the time it spent here, over a ring that does
// nothing and a clock that moves when it is told to.
#include "probe/reflection.hpp"

#include "reactor/reactor.hpp"
#include "support/idle_ring.hpp"
#include "unit/clock/manual_clock.hpp"
#include "wire/auth.hpp"
#include "wire/tlv_reply.hpp"
#include "wire/tlv_request.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

namespace latmon {
namespace {

using Octets = std::vector<std::byte>;

// Nothing ever happens on it but one completion, so that the reactor looks at the clock.
class SilentRing final : public test::IdleRing {
public:
    bool has_completion = false;
    Operation nothing{[](Operation&, const Completion&) noexcept {}};

    std::uint32_t drain(std::span<Ready> ready) noexcept override {
        if (!std::exchange(has_completion, false)) return 0;
        ready[0] = {.operation = &nothing, .completion = {}};
        return 1;
    }
};

constexpr SenderPacket request{
    .sequence = 41, .t1 = {0xe000'0000'1234'5678}, .error_estimate = 0x0301, .ssid = 77};
constexpr TlvSet all_tlvs = 0x7f;

// A reflector into which one request has just come.
struct ReflectionBench {
    ReflectionBench() {
        context.boot_nonce = 5;
        reflection.sequence = 9;
        reflection.source = *parse_endpoint("192.0.2.1", 4'000);
        reflection.destination = *parse_endpoint("192.0.2.2", 0);
        reflection.ttl = 61;
        reflection.traffic_class = 0xb9;  // DSCP 46, ECN 1.
        reflection.has_traffic_class = true;
        arrive();
    }

    // The loop reads the clock now.
    void arrive() {
        ring.has_completion = true;
        reactor.turn(clock.now());
    }
    // The kernel had the request so long before the loop read the clock.
    void stamp(Duration before) {
        reflection.has_kernel_time = true;
        reflection.kernel_time = reactor.arrival().wall - before;
    }
    void set_request(TlvSet wanted, const HmacKey* key = nullptr, std::uint8_t dscp = 0) {
        reflection.key = key;
        const auto base_bytes = static_cast<std::uint32_t>(base_bytes_of(key));
        const TlvLayout layout = layout_tlvs(wanted, base_bytes, 0, key != nullptr);
        packet.assign(layout.packet_bytes, std::byte{0});
        if (key == nullptr) {
            encode_sender(request, std::span(packet).first<limits::stamp_base_bytes>());
        } else {
            encode_sender_auth(request, *key, std::span(packet).first<stamp_auth_base_bytes>());
        }
        encode_request_tlvs(layout, {.sequence = request.sequence, .key = key, .reply_dscp = dscp},
                            std::span(packet).subspan(base_bytes));
    }
    // Both steps, `between` apart.
    ReplyDraft reflect(Duration between = {}, Duration slip = {}) {
        const std::size_t size = packet.size();
        const ReplyDraft draft = draft_reply(context, policy, reflection, packet);
        clock.pass(between, slip);
        t3 = seal_reply(context, reflection, draft, packet);
        CHECK(packet.size() == size);
        const std::span<const std::byte> octets(packet);
        reply =
            *(reflection.key == nullptr ? decode_reflector(octets) : decode_reflector_auth(octets));
        tlvs = read_reply_tlvs(octets.subspan(base_bytes_of(reflection.key)),
                               {.sequence = reply.sequence,
                                .key = reflection.key,
                                .is_required = reflection.key != nullptr});
        return draft;
    }
    [[nodiscard]] Sample sample() {
        std::array<Sample, 2> batch{};
        REQUIRE(queue.queue.pop_batch(batch) == 1);
        return batch[0];
    }
    [[nodiscard]] WallTime arrived() const { return reactor.arrival().wall; }

    ManualClock clock;
    SilentRing ring;
    Reactor reactor{ring, clock, Pacing::Mode::power, 16};
    SampleQueue queue{64, kind_bit(LATMON_KIND_REFLECTION)};
    SampleOutlet outlet{{&queue}};
    WallWatch wall_watch{clock};
    Octets zeros = Octets(limits::probe_bytes_max);
    CoreContext context{
        .reactor = reactor, .outlet = outlet, .wall_watch = wall_watch, .zeros = zeros};
    ReflectorConfig policy;
    Reflection reflection;
    Octets packet;
    WallTime t3;
    ReflectorPacket reply;
    ReplyTlvs tlvs;
};

LocalClock synchronized_clock() {
    LocalClock clock;
    clock.is_synchronized = true;
    clock.source = ClockSource::chrony;
    clock.error = Duration::from_us(100);
    clock.valid_until = Instant{std::numeric_limits<std::int64_t>::max()};
    clock.has_tai_offset = true;
    clock.tai_offset = Duration::from_s(37);
    return clock;
}

}  // namespace

TEST_CASE("reflection: the reply gives back what the sender needs to know its probe by") {
    ReflectionBench bench;
    bench.set_request(tlv_set::none);
    static_cast<void>(bench.reflect());
    CHECK(bench.reply.sequence == 9);
    CHECK(bench.reply.ssid == request.ssid);
    CHECK(bench.reply.sender_sequence == request.sequence);
    CHECK(bench.reply.sender_t1 == request.t1);
    CHECK(bench.reply.sender_error_estimate == request.error_estimate);
    CHECK(bench.reply.sender_ttl == 61);
}

TEST_CASE("reflection: a stateless reflector has the sender's number, and zeros to follow up") {
    ReflectionBench bench;
    bench.policy.is_stateful = false;
    bench.reflection.previous = FollowUp{.sequence = 8, .timestamp = {77}, .method = 2};
    bench.set_request(tlv_set::exchange | tlv_set::follow_up);
    static_cast<void>(bench.reflect());
    CHECK(bench.reply.sequence == request.sequence);
    CHECK(!bench.tlvs.follow_up.has_value());
    REQUIRE(bench.tlvs.exchange.has_value());
    CHECK((bench.tlvs.exchange->flags & exchange_flags::stateful) == 0);
}

TEST_CASE("reflection: T2 is the kernel's, and the dwell is told") {
    ReflectionBench bench;
    bench.stamp(Duration::from_us(30));
    bench.set_request(tlv_set::exchange);
    const ReplyDraft draft = bench.reflect();
    CHECK(draft.arrival.is_kernel);
    CHECK(draft.arrival.t2 == bench.arrived() - Duration::from_us(30));
    CHECK(from_ntp(bench.reply.t2, bench.arrived()) == draft.arrival.t2);
    REQUIRE(bench.tlvs.exchange.has_value());
    CHECK(bench.tlvs.exchange->peer_rx_ns == 30'000);
    CHECK((bench.tlvs.exchange->flags & exchange_flags::t2_kernel) != 0);
    CHECK((bench.tlvs.exchange->flags & exchange_flags::stateful) != 0);
    CHECK(bench.tlvs.exchange->clock_epoch == bench.context.clock_epoch());
}

TEST_CASE("reflection: a kernel's stamp that makes no sense is no T2") {
    for (const Duration before :
         {Duration{-1}, Duration::from_s(-3'600), Duration::from_s(10) + Duration{1}}) {
        ReflectionBench bench;
        bench.stamp(before);
        bench.set_request(tlv_set::exchange);
        const ReplyDraft draft = bench.reflect();
        CHECK(!draft.arrival.is_kernel);
        CHECK(draft.arrival.t2 == bench.arrived());
        CHECK((bench.tlvs.exchange->flags & exchange_flags::t2_kernel) == 0);
        CHECK(bench.tlvs.exchange->peer_rx_ns == 0);
    }
}

TEST_CASE("reflection: a stamp from before our clock was set is no T2, however likely it looks") {
    for (const Duration step : {Duration::from_ms(5), Duration::from_ms(-5)}) {
        ReflectionBench bench;
        const WallTime stamped = bench.clock.wall_now();
        bench.clock.pass(Duration::from_ms(20), step);
        bench.arrive();
        static_cast<void>(bench.wall_watch.look());
        bench.reflection.has_kernel_time = true;
        bench.reflection.kernel_time = stamped;
        bench.set_request(tlv_set::exchange);
        static_cast<void>(bench.reflect(Duration::from_us(12)));
        CHECK((bench.tlvs.exchange->flags & exchange_flags::t2_kernel) == 0);
        CHECK(bench.tlvs.exchange->peer_rx_ns == 0);
        CHECK(bench.sample().turnaround_ns == 12'000);
    }
}

TEST_CASE("reflection: a step of the wall clock does not enter the turnaround") {
    for (const Duration slip : {Duration{}, Duration::from_s(3), Duration::from_s(-3)}) {
        ReflectionBench bench;
        bench.set_request(tlv_set::none);
        static_cast<void>(bench.reflect(Duration::from_us(12), slip));
        CHECK(bench.t3 == bench.arrived() + Duration::from_us(12));
        CHECK(from_ntp(bench.reply.t3, bench.arrived()) == bench.t3);
        CHECK(bench.sample().turnaround_ns == 12'000);
    }
}

TEST_CASE("reflection: a short request that was given room is answered, with no session id") {
    ReflectionBench bench;
    bench.set_request(tlv_set::none);
    std::fill(bench.packet.begin() + limits::stamp_request_bytes_min, bench.packet.end(),
              std::byte{0});
    static_cast<void>(bench.reflect());
    CHECK(bench.reply.ssid == 0);
    CHECK(bench.reply.sender_t1 == request.t1);
}

TEST_CASE("reflection: the reply has the class it came with, or one that may be asked for") {
    ReflectionBench as_it_came;
    as_it_came.set_request(tlv_set::none);
    CHECK(as_it_came.reflect().traffic_class == 46 << 2);  // Without ECN.

    ReflectionBench granted;
    granted.policy.dscp_allow = std::uint64_t{1} << 10U;
    granted.set_request(tlv_set::class_of_service, nullptr, 10);
    CHECK(granted.reflect().traffic_class == 10 << 2);
    CHECK(granted.tlvs.class_of_service->dscp2 == 46);
    CHECK(granted.tlvs.class_of_service->rp == 0);

    ReflectionBench refused;
    refused.policy.dscp_allow = std::uint64_t{1} << 11U;
    refused.set_request(tlv_set::class_of_service, nullptr, 10);
    CHECK(refused.reflect().traffic_class != 10 << 2);
    CHECK(refused.tlvs.class_of_service->rp == 1);
}

TEST_CASE("reflection: when the reply before really left goes with this one") {
    ReflectionBench bench;
    const FollowUp previous{.sequence = 8, .timestamp = {0xe000'0000'8000'0000}, .method = 2};
    bench.reflection.previous = previous;
    bench.set_request(all_tlvs);
    static_cast<void>(bench.reflect());
    REQUIRE(bench.tlvs.follow_up.has_value());
    CHECK(*bench.tlvs.follow_up == previous);

    ReflectionBench first;
    first.set_request(all_tlvs);
    static_cast<void>(first.reflect());
    CHECK(!first.tlvs.follow_up.has_value());
    CHECK(first.tlvs.malformed_count == 0);
    CHECK(first.tlvs.direct_measurement->reflector_received == 10);
}

TEST_CASE("reflection: what is said about the clock is what is known of it") {
    ReflectionBench unknown;
    unknown.set_request(tlv_set::timestamp_info | tlv_set::exchange);
    static_cast<void>(unknown.reflect());
    CHECK(!decode_error_estimate(unknown.reply.error_estimate).is_synchronized);
    CHECK(unknown.tlvs.timestamp_info->sync_source_in == sync_source::free_running);
    CHECK((unknown.tlvs.exchange->flags & exchange_flags::synchronized) == 0);

    ReflectionBench known;
    known.context.own_clock.set(synchronized_clock());
    known.set_request(tlv_set::timestamp_info | tlv_set::exchange);
    static_cast<void>(known.reflect());
    const ErrorEstimate said = decode_error_estimate(known.reply.error_estimate);
    CHECK(said.is_synchronized);
    CHECK(!said.is_ptp);
    CHECK(said.error >= Duration::from_us(100));
    CHECK(known.tlvs.timestamp_info->sync_source_in == sync_source::ntp);
    CHECK(known.tlvs.timestamp_info->sync_source_out == sync_source::ntp);
    CHECK((known.tlvs.exchange->flags & exchange_flags::synchronized) != 0);
}

TEST_CASE("reflection: PTP's format is used if it is wanted and TAI is known") {
    for (const bool is_wanted : {false, true}) {
        for (const bool is_known : {false, true}) {
            ReflectionBench bench;
            if (is_wanted) bench.policy.timestamp_format = TimestampFormat::ptp;
            LocalClock clock = synchronized_clock();
            clock.has_tai_offset = is_known;
            bench.context.own_clock.set(clock);
            bench.set_request(tlv_set::none);
            const ReplyDraft draft = bench.reflect(Duration::from_us(3));
            const bool is_ptp = is_wanted && is_known;
            CHECK(decode_error_estimate(bench.reply.error_estimate).is_ptp == is_ptp);
            const auto read = [&](WireTime time) {
                return is_ptp ? from_ptp(time, draft.arrival.t2, Duration::from_s(37))
                              : from_ntp(time, draft.arrival.t2);
            };
            CHECK(read(bench.reply.t2) == draft.arrival.t2);
            CHECK(read(bench.reply.t3) == bench.t3);
        }
    }
}

TEST_CASE("reflection: an authenticated reply is sealed, and so are its TLVs") {
    constexpr std::string_view secret = "a secret";
    const HmacKey key(std::as_bytes(std::span(secret)));
    ReflectionBench bench;
    bench.set_request(all_tlvs, &key);
    static_cast<void>(bench.reflect());
    CHECK(verify_auth(bench.packet, key));
    CHECK(bench.reply.sequence == 9);
    CHECK(bench.reply.sender_t1 == request.t1);
    CHECK(bench.reply.sender_ttl == 61);
    CHECK(bench.tlvs.is_verified);
    CHECK(bench.tlvs.integrity_count == 0);
    CHECK(bench.tlvs.exchange.has_value());
}

TEST_CASE("reflection: the sample says what was seen of the probe") {
    ReflectionBench bench;
    bench.reflection.series_id = 5;
    bench.stamp(Duration::from_us(30));
    bench.set_request(tlv_set::none);
    const ReplyDraft draft = bench.reflect(Duration::from_us(4));
    const Sample sample = bench.sample();
    CHECK(sample.kind == LATMON_KIND_REFLECTION);
    CHECK(sample.status == LATMON_STATUS_OK);
    CHECK(sample.series_id == 5);
    CHECK(sample.sequence == request.sequence);
    CHECK(sample.peer_sequence == 9);
    CHECK(sample.t1_ns == from_ntp(request.t1, draft.arrival.t2).ns);
    CHECK(sample.t2_ns == draft.arrival.t2.ns);
    CHECK(sample.t3_ns == bench.t3.ns);
    CHECK(sample.turnaround_ns == 34'000);
    CHECK(sample.local_rx_ns == 30'000);
    CHECK(sample.t2_stamp == LATMON_STAMP_KERNEL);
    CHECK(sample.ttl_fwd == 61);
    CHECK(sample.dscp_fwd == 46);
    CHECK(sample.ssid == request.ssid);
    CHECK(sample.peer_port == 4'000);
}

}  // namespace latmon
