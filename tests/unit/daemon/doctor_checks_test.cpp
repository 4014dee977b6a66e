// SPDX-License-Identifier: Apache-2.0
//
// Claims about a doctor's judgement: bad is what stops latmon or breaks its word, a warning is what
// makes it measure less well.
#include "daemon/doctor_checks.hpp"

#include <doctest/doctest.h>
#include <sched.h>
#include <cerrno>

namespace latmon {
namespace {

bool contains(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
}

StampVerdict interface_verdict(StampProof tx, StampProof rx) {
    StampVerdict verdict;
    verdict.interface = "eth0";
    verdict.tx = tx;
    verdict.rx = rx;
    verdict.hardware_fault = "it has none";
    return verdict;
}

Plan plan_of(std::size_t cores, Precision precision) {
    Plan plan;
    plan.cores.resize(cores);
    plan.precision = precision;
    return plan;
}

TEST_CASE("doctor_checks: Linux before 6.1 is bad, whatever its number looks like") {
    CHECK(judge_kernel("6.1.0-18-amd64").verdict == Verdict::ok);
    CHECK(judge_kernel("6.18.44").verdict == Verdict::ok);
    CHECK(judge_kernel("10.0").verdict == Verdict::ok);
    CHECK(judge_kernel("6.0.19").verdict == Verdict::bad);
    CHECK(judge_kernel("5.15.0-100-generic").verdict == Verdict::bad);
    CHECK(judge_kernel("").verdict == Verdict::bad);
}

TEST_CASE("doctor_checks: no stamps of what is sent is bad only for whoever asked for them") {
    CHECK(judge_tx_way({.tx = TxStampWay::ring}, StampPolicy::kernel).verdict == Verdict::ok);
    CHECK(judge_tx_way({.tx = TxStampWay::error_queue}, StampPolicy::automatic).verdict ==
          Verdict::ok);
    CHECK(judge_tx_way({}, StampPolicy::automatic).verdict == Verdict::warn);
    CHECK(judge_tx_way({}, StampPolicy::user).verdict == Verdict::warn);
    CHECK(judge_tx_way({}, StampPolicy::kernel).verdict == Verdict::bad);
    CHECK(judge_tx_way({}, StampPolicy::hardware).verdict == Verdict::bad);
    CHECK(judge_stamp_keys({.tx = TxStampWay::ring, .has_keys = true}).verdict == Verdict::ok);
    CHECK(judge_stamp_keys({}).verdict == Verdict::warn);
}

TEST_CASE("doctor_checks: an interface is well only if both directions were proved") {
    using Proof = StampProof;
    const auto judged = [](Proof tx, Proof rx, StampPolicy policy) {
        return judge_interface(interface_verdict(tx, rx), policy).verdict;
    };
    const StampPolicy automatic = StampPolicy::automatic;
    CHECK(judged(Proof::proved, Proof::proved, automatic) == Verdict::ok);
    CHECK(judged(Proof::proved, Proof::no_packet, automatic) == Verdict::warn);
    CHECK(judged(Proof::not_seen, Proof::proved, automatic) == Verdict::warn);
    CHECK(judged(Proof::proved, Proof::not_seen, automatic) == Verdict::warn);
    CHECK(judged(Proof::not_seen, Proof::proved, StampPolicy::kernel) == Verdict::bad);
    CHECK(judged(Proof::proved, Proof::no_packet, StampPolicy::kernel) == Verdict::warn);
    CHECK(judged(Proof::not_seen, Proof::not_seen, StampPolicy::user) == Verdict::ok);
    CHECK(judge_interface(interface_verdict(Proof::proved, Proof::proved), automatic).subject ==
          "interface eth0");
}

TEST_CASE("doctor_checks: hardware stamps that the card does not make are refused") {
    StampVerdict verdict = interface_verdict(StampProof::proved, StampProof::proved);
    CHECK(judge_interface(verdict, StampPolicy::hardware).verdict == Verdict::bad);
    CHECK(contains(judge_interface(verdict, StampPolicy::hardware).text, "it has none"));
    verdict.can_hardware = true;
    CHECK(judge_interface(verdict, StampPolicy::hardware).verdict == Verdict::ok);
    verdict.can_hardware = false;
    verdict.interface = "lo";  // Nobody asks that of loopback.
    CHECK(judge_interface(verdict, StampPolicy::hardware).verdict == Verdict::ok);
}

TEST_CASE("doctor_checks: a kernel that claims to be right by nobody's reckoning is not believed") {
    KernelClock kernel;
    CHECK(judge_kernel_clock(kernel).verdict == Verdict::warn);
    kernel.is_synchronized = true;
    CHECK(judge_kernel_clock(kernel).verdict == Verdict::warn);  // Error 0.
    kernel.error_max = Duration::from_us(1'234);
    CHECK(judge_kernel_clock(kernel).verdict == Verdict::ok);
    CHECK(contains(judge_kernel_clock(kernel).text, "1.23 ms"));
}

TEST_CASE("doctor_checks: a chronyd that is not there is no fault, one without a source is") {
    CHECK(judge_chrony("", false, std::nullopt).verdict == Verdict::ok);
    CHECK(judge_chrony("127.0.0.1:323", false, std::nullopt).verdict == Verdict::ok);
    CHECK(judge_chrony("127.0.0.1:323", true, std::nullopt).verdict == Verdict::warn);
    const Finding finding = judge_chrony("127.0.0.1:323", true, Duration::from_us(7));
    CHECK(finding.verdict == Verdict::ok);
    CHECK(contains(finding.text, "7 us"));
}

TEST_CASE("doctor_checks: what packets claim is told as it is at this moment") {
    LocalClock clock;
    CHECK(judge_clock(clock, Instant{1}).verdict == Verdict::warn);
    clock.is_synchronized = true;
    clock.source = ClockSource::chrony;
    clock.error = Duration::from_us(20);
    clock.valid_until = Instant{} + Duration::from_s(3);
    CHECK(judge_clock(clock, Instant{}).verdict == Verdict::ok);
    CHECK(contains(judge_clock(clock, Instant{}).text, "20 us (S = 1), by the word of chronyd"));
    CHECK(judge_clock(clock, Instant{} + Duration::from_s(3)).verdict == Verdict::warn);
}

TEST_CASE("doctor_checks: TAI that is not known matters where PTP stamps are used") {
    LocalClock clock;
    CHECK(judge_tai(clock, false).verdict == Verdict::ok);
    CHECK(judge_tai(clock, true).verdict == Verdict::warn);
    clock.has_tai_offset = true;
    clock.tai_offset = Duration::from_s(37);
    CHECK(judge_tai(clock, true).verdict == Verdict::ok);
    CHECK(contains(judge_tai(clock, true).text, "37 s"));
}

TEST_CASE("doctor_checks: core-threads must leave a CPU to the others") {
    CHECK(judge_cpus(2, plan_of(1, Precision::spin)).verdict == Verdict::ok);
    CHECK(judge_cpus(2, plan_of(2, Precision::balanced)).verdict == Verdict::warn);
    CHECK(judge_cpus(2, plan_of(2, Precision::spin)).verdict == Verdict::bad);
    CHECK(judge_cpus(1, plan_of(1, Precision::balanced)).verdict == Verdict::warn);
}

TEST_CASE("doctor_checks: stolen time, schedulers and governors that hurt are told") {
    CHECK(judge_steal({0, 0}, "").verdict == Verdict::ok);
    CHECK(judge_steal({1, 1'000}, "").verdict == Verdict::ok);
    CHECK(judge_steal({2, 1'000}, "").verdict == Verdict::warn);
    CHECK(contains(judge_steal({50, 1'000}, "in May").text,
                   "5 % of this host's CPU time to others in May"));
    CHECK(judge_scheduler(SCHED_OTHER, Precision::spin).verdict == Verdict::ok);
    CHECK(judge_scheduler(SCHED_FIFO, Precision::balanced).verdict == Verdict::ok);
    CHECK(judge_scheduler(SCHED_FIFO, Precision::spin).verdict == Verdict::warn);
    CHECK(judge_governor("").verdict == Verdict::ok);
    CHECK(judge_governor("performance").verdict == Verdict::ok);
    CHECK(judge_governor("powersave").verdict == Verdict::warn);
}

TEST_CASE("doctor_checks: files that cannot be had are bad, unless they can be taken") {
    const FileLimit limit{.soft = 256, .hard = 1'024};
    CHECK(judge_files(1'024, limit, false).verdict == Verdict::ok);
    CHECK(judge_files(1'025, limit, false).verdict == Verdict::bad);
    CHECK(contains(judge_files(1'025, limit, false).cure, "LimitNOFILE=1025"));
    CHECK(judge_files(1'025, limit, true).verdict == Verdict::ok);
}

TEST_CASE("doctor_checks: memory and buffers are told with the number that mends them") {
    CHECK(judge_memlock(65'536, true).verdict == Verdict::ok);
    CHECK(judge_memlock(65'536, false).verdict == Verdict::warn);
    CHECK(judge_memlock(UINT64_MAX, false).verdict == Verdict::ok);
    CHECK(judge_receive_buffer(0).verdict == Verdict::warn);
    CHECK(judge_receive_buffer(212'992).verdict == Verdict::warn);
    CHECK(contains(judge_receive_buffer(212'992).cure, "net.core.rmem_max=8388608"));
    CHECK(judge_receive_buffer(8'388'608).verdict == Verdict::ok);
}

TEST_CASE("doctor_checks: a port is bad if latmon needs it and cannot have it") {
    ListenerPlan listener{.is_tcp = false, .endpoint = *parse_endpoint("0.0.0.0", 8'001)};
    CHECK(judge_port(listener, 0).verdict == Verdict::ok);
    CHECK(judge_port(listener, 0).subject == "port 8001/udp");
    CHECK(judge_port(listener, EADDRINUSE).verdict == Verdict::warn);  // Perhaps by a latmon.
    CHECK(judge_port(listener, EACCES).verdict == Verdict::bad);
    CHECK(judge_port(listener, EADDRNOTAVAIL).verdict == Verdict::bad);
    CHECK(judge_port(listener, EPERM).verdict == Verdict::bad);
    listener.is_required = false;
    listener.is_tcp = true;
    CHECK(judge_port(listener, EACCES).verdict == Verdict::warn);
    CHECK(judge_port(listener, EAFNOSUPPORT).verdict == Verdict::warn);
    CHECK(judge_port(listener, EAFNOSUPPORT).subject == "port 8001/tcp");
}

TEST_CASE("doctor_checks: a missing privilege matters where a low port is wanted") {
    Plan plan;
    CHECK(judge_privileges(true, plan).verdict == Verdict::ok);
    CHECK(judge_privileges(false, plan).verdict == Verdict::ok);
    plan.listeners.push_back({.is_tcp = false, .endpoint = *parse_endpoint("::", 862)});
    CHECK(judge_privileges(false, plan).verdict == Verdict::warn);
    CHECK(judge_privileges(true, plan).verdict == Verdict::ok);
}

TEST_CASE("doctor_checks: durations have three digits and a unit") {
    CHECK(in_words(Duration{}) == "0 ns");
    CHECK(in_words(Duration{7}) == "7 ns");
    CHECK(in_words(Duration{1'234}) == "1.23 us");
    CHECK(in_words(Duration::from_s(16)) == "16 s");
    CHECK(in_words(Duration{-20'500'000}) == "-20.5 ms");
}

}  // namespace
}  // namespace latmon
