// SPDX-License-Identifier: Apache-2.0
//
// When a descriptor is due, and that its packet is what a reflector reads.
#include "probe/descriptor_sender.hpp"

#include "wire/auth.hpp"
#include "wire/tlv_reflect.hpp"

#include <doctest/doctest.h>
#include <string_view>

namespace latmon {
namespace {

constexpr Instant start{1'000'000'000'000};
constexpr SenderPacket packet_5{.sequence = 5, .t1 = {}, .error_estimate = 1, .ssid = 9};
constexpr std::uint64_t nonce = 0x0102'0304'0506'0708;

ProbePlan telling_probe() {
    ProbePlan plan;
    plan.sends_descriptor = true;
    plan.node_name = "web1";
    plan.tags = {"site:home"};
    plan.timeout = Duration::from_s(3);
    plan.waits_for_follow_up = true;
    return plan;
}

std::vector<std::byte> octets_of(const DescriptorSender& sender) {
    const iovec& part = *sender.message().header().msg_iov;
    const auto* const octets = static_cast<const std::byte*>(part.iov_base);
    return {octets, octets + part.iov_len};
}

// What a reflector makes of the packet.
TlvOutcome reflect(const std::vector<std::byte>& packet, const HmacKey* key) {
    std::vector<std::byte> copy = packet;
    const std::size_t base_bytes =
        key == nullptr ? limits::stamp_base_bytes : stamp_auth_base_bytes;
    const ReflectorFacts facts{.seal = {.sequence = 5, .key = key, .is_required = key != nullptr}};
    return reflect_tlvs(std::span(copy).subspan(base_bytes), facts);
}

}  // namespace

TEST_CASE("descriptor_sender: a reflector reads what was told, with a key and without") {
    const HmacKey secret(std::as_bytes(std::span(std::string_view("a secret"))));
    for (const HmacKey* const key : {static_cast<const HmacKey*>(nullptr), &secret}) {
        const ProbePlan plan = telling_probe();
        DescriptorPacket core_packet;
        DescriptorSender sender(plan, nonce, key, core_packet);
        sender.write(packet_5, start, 77);
        const std::vector<std::byte> packet = octets_of(sender);
        const auto base = key == nullptr ? decode_sender(packet) : decode_sender_auth(packet);
        REQUIRE(base);
        CHECK(base->sequence == 5);
        CHECK(base->ssid == 9);
        if (key != nullptr) CHECK(verify_auth(packet, *key));
        const TlvOutcome outcome = reflect(packet, key);
        CHECK(outcome.count == (key == nullptr ? 2 : 3));
        CHECK(outcome.unrecognized_count == 0);
        CHECK_FALSE(outcome.is_malformed);
        CHECK_FALSE(outcome.has_failed_integrity);
        REQUIRE(outcome.descriptor);
        CHECK(outcome.descriptor->name() == "web1");
        CHECK(outcome.descriptor->tag_count() == 1);
        CHECK(outcome.descriptor->boot_nonce == nonce);
        CHECK(outcome.descriptor->clock_epoch == 77);
    }
}

TEST_CASE("descriptor_sender: it asks for no follow-up where nobody waits for one") {
    ProbePlan plan = telling_probe();
    plan.waits_for_follow_up = false;
    DescriptorPacket core_packet;
    DescriptorSender sender(plan, nonce, nullptr, core_packet);
    sender.write(packet_5, start, 1);
    CHECK(reflect(octets_of(sender), nullptr).count == 1);
}

TEST_CASE("descriptor_sender: due at first, after a minute, and when the epoch changes") {
    const ProbePlan plan = telling_probe();
    DescriptorPacket core_packet;
    DescriptorSender sender(plan, nonce, nullptr, core_packet);
    CHECK(sender.is_due(start, 1));
    sender.write({}, start, 1);
    sender.release();
    CHECK_FALSE(sender.is_due(start + Duration::from_s(59), 1));
    CHECK(sender.is_due(start + Duration::from_s(60), 1));
    CHECK(sender.is_due(start + Duration::from_s(59), 2));
    sender.write({}, start + Duration::from_s(59), 2);
    sender.release();
    CHECK_FALSE(sender.is_due(start + Duration::from_s(80), 2));
    sender.forget();
    CHECK(sender.is_due(start + Duration::from_s(80), 2));
}

TEST_CASE("descriptor_sender: whatever happens, not twice within a timeout or a second") {
    for (const std::int64_t timeout_ms : {100, 3'000}) {
        ProbePlan plan = telling_probe();
        plan.timeout = Duration::from_ms(timeout_ms);
        const Duration spacing = Duration::from_ms(timeout_ms == 100 ? 1'000 : 3'000);
        DescriptorPacket core_packet;
        DescriptorSender sender(plan, nonce, nullptr, core_packet);
        sender.write({}, start, 1);
        sender.release();
        sender.forget();
        CHECK_FALSE(sender.is_due(start + spacing - Duration{1}, 2));
        CHECK(sender.is_due(start + spacing, 2));
    }
}

TEST_CASE("descriptor_sender: never due if it is not wanted or there is no name to tell") {
    ProbePlan plan = telling_probe();
    plan.sends_descriptor = false;
    DescriptorPacket core_packet;
    CHECK_FALSE(DescriptorSender(plan, nonce, nullptr, core_packet).is_due(start, 1));
    plan = telling_probe();
    plan.node_name = "a|b";
    CHECK_FALSE(DescriptorSender(plan, nonce, nullptr, core_packet).is_due(start, 1));
}

TEST_CASE("descriptor_sender: probes of a core send one after another, each its own") {
    const ProbePlan plan = telling_probe();
    ProbePlan other_plan = telling_probe();
    other_plan.tags = {"site:office", "rack:7"};
    DescriptorPacket core_packet;
    DescriptorSender sender(plan, nonce, nullptr, core_packet);
    DescriptorSender other(other_plan, nonce, nullptr, core_packet);
    other.write(packet_5, start, 1);
    CHECK_FALSE(sender.is_due(start, 1));
    other.release();
    REQUIRE(sender.is_due(start, 1));
    sender.write(packet_5, start, 1);
    const TlvOutcome outcome = reflect(octets_of(sender), nullptr);
    REQUIRE(outcome.descriptor);
    REQUIRE(outcome.descriptor->tag_count() == 1);
    CHECK(outcome.descriptor->tag(0) == "site:home");
}

TEST_CASE("descriptor_sender: a tag that breaks a rule is left out, the others are told") {
    ProbePlan plan = telling_probe();
    plan.tags = {"a:1", "b:x|y", std::string(65, 'c') + ":1", "d:2"};
    DescriptorPacket core_packet;
    DescriptorSender sender(plan, nonce, nullptr, core_packet);
    sender.write(packet_5, start, 1);
    const TlvOutcome outcome = reflect(octets_of(sender), nullptr);
    REQUIRE(outcome.descriptor);
    REQUIRE(outcome.descriptor->tag_count() == 2);
    CHECK(outcome.descriptor->tag(0) == "a:1");
    CHECK(outcome.descriptor->tag(1) == "d:2");
}

TEST_CASE("descriptor_sender: what is not told is warned of, once a target and once for the name") {
    Plan plan;
    plan.cores.resize(1);
    std::vector<ProbePlan>& probes = plan.cores[0].probes;
    probes.push_back(telling_probe());
    CHECK(descriptor_warnings(plan).empty());
    probes[0].host = "far";
    probes[0].tags = {"a:1", "b:x|y"};
    probes.push_back(probes[0]);
    probes[1].kind = ProbeKind::tcp;
    std::vector<std::string> warnings = descriptor_warnings(plan);
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].starts_with("target \"far\": tags \"b:x|y\" are not told"));
    probes.assign(3, probes[0]);
    for (ProbePlan& probe : probes)
        probe.node_name = "a|b";
    warnings = descriptor_warnings(plan);
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].starts_with("\"name\" is not told"));
    for (ProbePlan& probe : probes)
        probe.sends_descriptor = false;
    CHECK(descriptor_warnings(plan).empty());
}

}  // namespace latmon
