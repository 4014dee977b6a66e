// SPDX-License-Identifier: Apache-2.0
//
// Claims about how a self-test is judged and printed: bad is what would make a figure mislead.
#include "daemon/selftest_report.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace latmon {
namespace {

constexpr PhaseWindow window{.begin = WallTime{0}, .end = WallTime{10}};

void add_exchange(PhaseFigures& figures, std::int64_t rtt_ns, std::int64_t lateness_ns) {
    Sample sample{};
    sample.kind = LATMON_KIND_EXCHANGE;
    sample.status = LATMON_STATUS_OK;
    sample.lateness_ns = lateness_ns;
    sample.rtt_ns = rtt_ns;
    sample.valid = LATMON_HAS_SCHEDULE | LATMON_HAS_RTT;
    sample.t1_stamp = sample.t2_stamp = sample.t3_stamp = sample.t4_stamp = LATMON_STAMP_KERNEL;
    figures.add(sample, window);
}

PhaseFigures phase_of(PhaseSpec spec, std::int64_t rtt_ns, std::int64_t lateness_ns) {
    PhaseFigures figures(spec);
    add_exchange(figures, 4'000, lateness_ns);
    add_exchange(figures, rtt_ns, lateness_ns);
    add_exchange(figures, rtt_ns, lateness_ns);
    figures.accounts = {.sent = 3, .answered = 3};
    return figures;
}

// A host that is as it should be.
SelftestReport well() {
    SelftestReport report;
    report.setting = {.sender_cpu = 1, .reflector_cpu = 0};
    report.host.ability = {.tx = TxStampWay::ring, .has_keys = true, .has_rx = true};
    report.host.clock_source = "tsc";
    report.host.clock_reading = Duration{25};
    report.host.cpus = 2;
    for (const Precision precision : {Precision::power, Precision::balanced, Precision::spin}) {
        report.lateness.push_back(phase_of({.precision = precision}, 5'000, 200));
        report.lateness.back().cost.cpu_ppm = 1'000'000;
    }
    report.added.push_back(phase_of({.targets = 1}, 5'000, 200));
    report.added.push_back(phase_of({.targets = 1'000}, 5'500, 200));
    report.steps.push_back(phase_of({.rate_per_s = 20'000}, 5'000, 200));
    report.steps.push_back(phase_of({.rate_per_s = 40'000}, 5'000, 500'000));
    report.capacity_per_s = 20'000;
    return report;
}

Verdict verdict_on(const SelftestReport& report, std::string_view subject) {
    const std::vector<Finding> findings = judge(report);
    const auto found = std::ranges::find(findings, subject, &Finding::subject);
    REQUIRE(found != findings.end());
    return found->verdict;
}

SelftestReport judged(SelftestReport report) {
    report.findings = judge(report);
    return report;
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("selftest_report: a host that is well is good to its p99, and ends with 0") {
    const SelftestReport report = judged(well());
    CHECK(report.exit_code() == 0);
    CHECK(headline(report) ==
          "Good to 2 us at 1000 targets, up to 20000 probes a second per core.");
    CHECK(std::ranges::all_of(
        report.findings, [](const Finding& finding) { return finding.verdict == Verdict::ok; }));
}

TEST_CASE("selftest_report: what would mislead is named, and ends with 1") {
    SelftestReport report = well();
    report.added.back() = phase_of({.targets = 1'000}, 90'000, 200);
    report = judged(report);
    CHECK(report.exit_code() == 1);
    CHECK(headline(report) == "Some figures of this host would mislead: added_error, targets.");
}

TEST_CASE("selftest_report: round trips without the kernel's stamps mislead whoever expects them") {
    SelftestReport report = well();
    for (PhaseFigures& phase : report.added) {
        const auto count = phase.stamps.begin()->second;
        phase.stamps = {
            {{LATMON_STAMP_USER, LATMON_STAMP_KERNEL, LATMON_STAMP_KERNEL, LATMON_STAMP_KERNEL},
             count}};
    }
    CHECK(verdict_on(report, "stamps") == Verdict::bad);
    report.setting.stamps = StampPolicy::user;
    CHECK(verdict_on(report, "stamps") == Verdict::warn);
}

void check_spread(const SelftestReport& report) {
    CHECK(verdict_on(report, "stamps") == Verdict::warn);
    CHECK(report.exit_code() == 0);
    CHECK(headline(report) ==
          "Spread of 2 us above a floor that holds an unknown part of this host's own, tens of "
          "microseconds, at 1000 targets, up to 20000 probes a second per core.");
}

TEST_CASE("selftest_report: a host whose least round trip holds its own part is good to nothing") {
    for (const std::size_t which : {1U, 2U}) {
        SelftestReport report = well();
        for (PhaseFigures& phase : report.added) {
            std::array<std::uint8_t, 4> kinds = phase.stamps.begin()->first;
            kinds[which] = LATMON_STAMP_USER;
            phase.stamps = {{kinds, phase.count()}};
        }
        check_spread(judged(report));
    }
    SelftestReport report = well();
    report.setting.stamps = StampPolicy::user;
    check_spread(judged(report));
}

TEST_CASE("selftest_report: one in a hundred without all four stamps is enough, in either run") {
    constexpr std::array<std::uint8_t, 4> all{LATMON_STAMP_KERNEL, LATMON_STAMP_HW, LATMON_STAMP_HW,
                                              LATMON_STAMP_KERNEL};
    constexpr std::array<std::uint8_t, 4> three{LATMON_STAMP_KERNEL, LATMON_STAMP_KERNEL,
                                                LATMON_STAMP_USER, LATMON_STAMP_KERNEL};
    for (const std::size_t which : {0U, 1U}) {
        SelftestReport report = well();
        PhaseFigures& phase = report.added[which];
        for (int index = 0; index < 197; ++index)
            add_exchange(phase, 5'000, 200);
        REQUIRE(phase.count() == 200);
        phase.stamps = {{all, 198}, {three, 2}};
        CHECK(verdict_on(report, "stamps") == Verdict::ok);
        phase.stamps = {{all, 197}, {three, 3}};
        CHECK(verdict_on(report, "stamps") == Verdict::warn);
    }
}

TEST_CASE("selftest_report: samples that were dropped spoil the figures, whosever they are") {
    CHECK(verdict_on(well(), "samples") == Verdict::ok);
    for (const auto phases :
         {&SelftestReport::lateness, &SelftestReport::added, &SelftestReport::steps}) {
        SelftestReport report = well();
        (report.*phases).front().accounts.samples_dropped = 1;
        CHECK(verdict_on(report, "samples") == Verdict::bad);
    }
}

TEST_CASE("selftest_report: the lateness that counts is that of the precision in use") {
    SelftestReport report = well();
    report.lateness[0] = phase_of({.precision = Precision::power}, 5'000, 300'000);
    CHECK(verdict_on(report, "lateness") == Verdict::ok);
    report.setting.precision = Precision::power;
    CHECK(verdict_on(report, "lateness") == Verdict::bad);
    report.lateness[0] = phase_of({.precision = Precision::power}, 5'000, 150'000);
    CHECK(verdict_on(report, "lateness") == Verdict::warn);
}

TEST_CASE("selftest_report: missed slots, which no percentile knows of, are told and may mislead") {
    SelftestReport report = well();
    CHECK(verdict_on(report, "slots") == Verdict::ok);
    report.added.front().accounts = {.sent = 9'999, .answered = 9'999, .missed = 1};
    CHECK(verdict_on(report, "slots") == Verdict::warn);
    report.added.front().accounts = {.sent = 294, .answered = 294, .missed = 1'908};
    CHECK(verdict_on(report, "slots") == Verdict::bad);
    CHECK(judged(report).exit_code() == 1);
    report = well();
    report.lateness.front().accounts.missed = 100;  // Of a precision that nobody uses here.
    CHECK(verdict_on(report, "slots") == Verdict::ok);
    report.lateness[1].accounts.missed = 100;
    CHECK(verdict_on(report, "slots") == Verdict::bad);
}

TEST_CASE("selftest_report: losses on loopback are the host's, and so many of them mislead") {
    SelftestReport report = well();
    report.added.back().accounts = {.sent = 10'000, .answered = 9'999, .lost = 1};
    CHECK(verdict_on(report, "loss") == Verdict::warn);
    report.added.back().accounts = {.sent = 10'000, .answered = 9'980, .lost = 20};
    CHECK(verdict_on(report, "loss") == Verdict::bad);
    report.added.back().accounts = {.sent = 10'000, .answered = 9'980, .unreachable = 20};
    CHECK(verdict_on(report, "loss") == Verdict::bad);
}

TEST_CASE("selftest_report: nothing answered is bad throughout, and prints all the same") {
    SelftestReport report = well();
    for (PhaseFigures& phase : report.added)
        phase = PhaseFigures(phase.phase());
    report.lateness.clear();
    report.steps.clear();
    report.capacity_per_s = 0;
    report = judged(report);
    CHECK(report.exit_code() == 1);
    for (const char* subject : {"lateness", "added_error", "targets", "loss", "capacity"}) {
        CHECK(contains(headline(report), subject));
    }
    CHECK(contains(selftest_text(report), headline(report)));
    CHECK(nlohmann::json::parse(selftest_json(report))["added_error"][0]["added_p50_ns"].is_null());
}

TEST_CASE("selftest_report: a shared CPU, others on it and a slow clock are told") {
    SelftestReport report = well();
    report.lateness.back().cost.cpu_ppm = 900'000;
    CHECK(verdict_on(report, "contention") == Verdict::warn);
    report.host.clock_reading = Duration{900};
    CHECK(verdict_on(report, "clock_source") == Verdict::warn);
    report.host.ticks = {.stolen = 5, .all = 1'000};
    CHECK(verdict_on(report, "steal") == Verdict::warn);
    report.setting.reflector_cpu = 1;
    CHECK(verdict_on(report, "cpu") == Verdict::warn);
    CHECK(verdict_on(report, "contention") == Verdict::ok);
    report.setting.precision = Precision::spin;
    CHECK(verdict_on(report, "cpu") == Verdict::bad);
}

TEST_CASE("selftest_report: the text has each figure, what it means, and that it is of loopback") {
    const std::string text = selftest_text(judged(well()));
    CHECK(contains(text, "over loopback"));
    CHECK(contains(text, "balanced, in use"));
    CHECK(contains(text, "1000 targets"));
    CHECK(contains(text, "added: how far"));
    CHECK(contains(text, "up to 50 us of it is latmon's own"));
    CHECK(contains(text, "100 % kernel/kernel/kernel/kernel"));
    CHECK(contains(text, "capacity: 20000 probes a second"));
    CHECK(contains(text, "at 40000: median lateness"));
}

TEST_CASE("selftest_report: the same as JSON, on one line") {
    const std::string text = selftest_json(judged(well()));
    CHECK(text.find('\n') == text.size() - 1);
    const nlohmann::json json = nlohmann::json::parse(text);
    CHECK(json["v"] == 1);
    CHECK(json["path"] == "loopback");
    CHECK(json["lateness"][1]["precision"] == "balanced");
    CHECK(json["lateness"][1]["lateness"]["p50_ns"] == 200);
    CHECK(json["added_error"][1]["targets"] == 1'000);
    CHECK(json["added_error"][1]["added_p50_ns"] == 1'500);
    CHECK(json["added_error"][1]["cpu_ppm"].is_null());
    CHECK(json["added_error"][1]["unreachable"] == 0);
    CHECK(json["added_error"][1]["samples_dropped"] == 0);
    CHECK(json["capacity"]["probes_per_s"] == 20'000);
    CHECK(json["capacity"]["limit"] == "lateness");
    CHECK(json["capacity"]["steps"][0]["limit"] == "none");
    CHECK(json["stamps"]["tx_way"] == "ring");
    CHECK(json["exit_code"] == 0);
}

}  // namespace
}  // namespace latmon
