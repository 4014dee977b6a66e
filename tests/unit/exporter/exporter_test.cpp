// SPDX-License-Identifier: Apache-2.0
//
// An exporter from open() to its end, with the plugin `spy` at the far side of the ABI. Nothing
// here waits for a time: what a plugin does when is governed by semaphores.
#include "exporter/exporter.hpp"

#include "support/spy_exporter.hpp"

#include <doctest/doctest.h>
#include <sched.h>
#include <algorithm>
#include <csignal>
#include <numeric>

namespace latmon {
namespace {

Sample sample_of(std::uint32_t sequence, latmon_kind_t kind = LATMON_KIND_EXCHANGE) {
    Sample sample{};
    sample.kind = static_cast<std::uint8_t>(kind);
    sample.sequence = sequence;
    return sample;
}

void emit(Exporter& exporter, std::uint32_t core, std::uint32_t count) {
    for (std::uint32_t sequence = 0; sequence < count; ++sequence) {
        exporter.queue(core).emit(sample_of(sequence));
    }
}

bool is_balanced(const QueueAccounts& accounts) {
    return accounts.made == accounts.exported + accounts.rejected + accounts.dropped +
                                accounts.abandoned + accounts.queued;
}

TEST_CASE("exporter: every sample of every core reaches the plugin, in its core's order") {
    Spy spy;
    const std::unique_ptr<Exporter> exporter = open_exporter(config_of(spy), 3);
    for (std::uint32_t core = 0; core < 3; ++core) {
        for (std::uint32_t sequence = 0; sequence < 50; ++sequence) {
            Sample sample = sample_of(sequence);
            sample.core = static_cast<std::uint16_t>(core);
            exporter->queue(core).emit(sample);
        }
    }
    exporter->start({});
    REQUIRE(exporter->drain_and_stop(ample));
    CHECK(spy.samples.size() == 150);
    std::uint32_t next[3] = {};
    for (const latmon_sample_t& sample : spy.samples) {
        CHECK(sample.sequence == next[sample.core]++);
    }
    CHECK(exporter->accounts().name == "fast");
    const QueueAccounts accounts = exporter->accounts().samples;
    CHECK(accounts.made == 150);
    CHECK(accounts.exported == 150);
    CHECK(is_balanced(accounts));
}

TEST_CASE("exporter: samples pushed while it runs are exported") {
    Spy spy;
    spy.is_gated = true;
    const std::unique_ptr<Exporter> exporter = open_exporter(config_of(spy));
    exporter->start({});
    emit(*exporter, 0, 1);
    spy.entered.acquire();
    emit(*exporter, 0, 5);
    spy.gate.release(10);
    REQUIRE(exporter->drain_and_stop(ample));
    CHECK(exporter->accounts().samples.exported == 6);
}

TEST_CASE("exporter: a batch holds what is queued, up to its limit") {
    Spy spy;
    ExporterConfig config = config_of(spy);
    config.queue_samples = 4 * limits::export_batch_samples;
    const std::unique_ptr<Exporter> exporter = open_exporter(config);
    emit(*exporter, 0, 2 * limits::export_batch_samples + 7);
    exporter->start({});
    REQUIRE(exporter->drain_and_stop(ample));
    REQUIRE(spy.batches.size() == 3);
    CHECK(spy.batches[0] == limits::export_batch_samples);
    CHECK(spy.batches[1] == limits::export_batch_samples);
    CHECK(spy.batches[2] == 7);
}

TEST_CASE("exporter: by default it takes what this node measured, and no reflections") {
    Spy spy;
    const std::unique_ptr<Exporter> exporter = open_exporter(config_of(spy));
    for (const latmon_kind_t kind :
         {LATMON_KIND_EXCHANGE, LATMON_KIND_CONNECT, LATMON_KIND_REFLECTION, LATMON_KIND_NODE}) {
        exporter->queue(0).emit(sample_of(0, kind));
    }
    exporter->start({});
    REQUIRE(exporter->drain_and_stop(ample));
    CHECK(exporter->accounts().samples.made == 3);
    CHECK(std::ranges::count(spy.samples, LATMON_KIND_REFLECTION, &latmon_sample_t::kind) == 0);
}

TEST_CASE("exporter: the plugin's own counters stand in its accounts") {
    Spy spy;
    spy.counters = {"retries_total", "No name", "queue_samples"};
    spy.counter_too_late = "late_total";
    const std::unique_ptr<Exporter> exporter = open_exporter(config_of(spy));
    CHECK(spy.made[1] == nullptr);
    emit(*exporter, 0, 1);
    exporter->start({});
    REQUIRE(exporter->drain_and_stop(ample));
    CHECK_FALSE(spy.got_too_late);
    const std::vector<std::pair<std::string, std::uint64_t>> expected{{"retries_total", 1},
                                                                      {"queue_samples", 3}};
    CHECK(exporter->accounts().counters == expected);
    CHECK(exporter->counters().count() == 2);
}

TEST_CASE("exporter: what the plugin counts in its last word is in its accounts") {
    Spy spy;
    spy.counters = {"lines_total"};
    spy.last_word = 7;
    const std::unique_ptr<Exporter> exporter = open_exporter(config_of(spy));
    emit(*exporter, 0, 1);
    exporter->start({});
    exporter->end_plugin();  // Not while it runs,
    REQUIRE(exporter->drain_and_stop(ample));
    exporter->end_plugin();
    exporter->end_plugin();  // and not twice.
    CHECK(std::string(spy.calls.begin(), spy.calls.end()) == "cbfd");
    REQUIRE(exporter->accounts().counters.size() == 1);
    CHECK(exporter->accounts().counters.front().second == 8);
}

TEST_CASE("exporter: it takes the kinds that it is configured to take") {
    Spy spy;
    ExporterConfig config = config_of(spy);
    config.kinds = kind_bit(LATMON_KIND_REFLECTION);
    const std::unique_ptr<Exporter> exporter = open_exporter(config);
    exporter->queue(0).emit(sample_of(0, LATMON_KIND_EXCHANGE));
    exporter->queue(0).emit(sample_of(0, LATMON_KIND_REFLECTION));
    CHECK(exporter->accounts().samples.made == 1);
}

TEST_CASE("exporter: a batch that the plugin refuses is rejected") {
    Spy spy;
    spy.result = LATMON_RESULT_ERROR;
    const std::unique_ptr<Exporter> exporter = open_exporter(config_of(spy));
    emit(*exporter, 0, 9);
    exporter->start({});
    REQUIRE(exporter->drain_and_stop(ample));
    CHECK(exporter->accounts().samples.rejected == 9);
    CHECK(exporter->accounts().samples.exported == 0);
    CHECK(is_balanced(exporter->accounts().samples));
}

TEST_CASE("exporter: a plugin that throws has its batch rejected, and gets the next one") {
    Spy spy;
    spy.throws_once = true;
    const std::unique_ptr<Exporter> exporter = open_exporter(config_of(spy), 2);
    emit(*exporter, 0, 4);
    emit(*exporter, 1, 5);
    exporter->start({});
    REQUIRE(exporter->drain_and_stop(ample));
    CHECK(exporter->accounts().samples.rejected == 4);
    CHECK(exporter->accounts().samples.exported == 5);
}

TEST_CASE(
    "exporter: while the plugin blocks, what it holds is queued and what is too much dropped") {
    Spy spy;
    spy.is_gated = true;
    const std::unique_ptr<Exporter> exporter = open_exporter(config_of(spy));
    emit(*exporter, 0, 10);
    exporter->start({});
    spy.entered.acquire();
    emit(*exporter, 0, 70);  // The queue holds 64.
    const QueueAccounts blocked = exporter->accounts().samples;
    CHECK(blocked.made == 80);
    CHECK(blocked.queued == 10 + 64);
    CHECK(blocked.dropped == 6);
    CHECK(is_balanced(blocked));

    spy.gate.release(10);
    REQUIRE(exporter->drain_and_stop(ample));
    CHECK(exporter->accounts().samples.exported == 74);
    CHECK(exporter->accounts().samples.queued == 0);
    CHECK(is_balanced(exporter->accounts().samples));
}

TEST_CASE("exporter: a plugin that does not return is given up, and all it has left is abandoned") {
    Spy spy;
    spy.is_gated = true;
    const std::unique_ptr<Exporter> exporter = open_exporter(config_of(spy), 2);
    emit(*exporter, 0, 10);
    exporter->start({});
    spy.entered.acquire();
    emit(*exporter, 0, 3);
    emit(*exporter, 1, 4);
    CHECK_FALSE(exporter->drain_and_stop(Duration{1}));
    const QueueAccounts given_up = exporter->accounts().samples;
    CHECK(given_up.abandoned == 17);
    CHECK(given_up.queued == 0);
    CHECK(given_up.exported == 0);
    CHECK(is_balanced(given_up));

    // It returns after all: nothing is counted twice, and no further call is made.
    spy.gate.release(10);
    REQUIRE(exporter->drain_and_stop(ample));
    const QueueAccounts after = exporter->accounts().samples;
    CHECK(after.abandoned == 17);
    CHECK(after.exported == 0);
    CHECK(is_balanced(after));
    CHECK(std::string(spy.calls.begin(), spy.calls.end()) == "cb");
}

TEST_CASE("exporter: with no time to drain, what is not exported is abandoned") {
    Spy spy;
    const std::unique_ptr<Exporter> exporter = open_exporter(config_of(spy));
    exporter->start({});
    emit(*exporter, 0, 40);
    static_cast<void>(exporter->drain_and_stop(Duration{}));
    REQUIRE(exporter->drain_and_stop(ample));
    const QueueAccounts accounts = exporter->accounts().samples;
    CHECK(accounts.exported + accounts.abandoned == 40);
    CHECK(accounts.queued == 0);
    CHECK(accounts.exported == spy.samples.size());
}

// Usually the plugin is still busy when the time to drain is over, but what is claimed here holds
// whenever the threads run.
TEST_CASE("exporter: what a slow plugin has not taken in time is abandoned, what it took is not") {
    Spy spy;
    spy.is_gated = true;
    const std::unique_ptr<Exporter> exporter = open_exporter(config_of(spy));
    emit(*exporter, 0, 10);
    exporter->start({});
    spy.entered.acquire();
    emit(*exporter, 0, 20);
    spy.busy_until_ns = (OsClock().now() + Duration::from_ms(950)).ns;
    spy.gate.release(10);
    static_cast<void>(exporter->drain_and_stop(Duration::from_s(1)));
    REQUIRE(exporter->drain_and_stop(ample));
    const QueueAccounts accounts = exporter->accounts().samples;
    CHECK(accounts.made == 30);
    CHECK(accounts.queued == 0);
    CHECK(accounts.exported == spy.samples.size());
    CHECK(is_balanced(accounts));
}

TEST_CASE("exporter: the plugin is flushed at the end and destroyed once, in this order") {
    Spy spy;
    {
        const std::unique_ptr<Exporter> exporter = open_exporter(config_of(spy));
        emit(*exporter, 0, 1);
        exporter->start({});
        REQUIRE(exporter->drain_and_stop(ample));
        CHECK(std::string(spy.calls.begin(), spy.calls.end()) == "cbf");
    }
    CHECK(std::string(spy.calls.begin(), spy.calls.end()) == "cbfd");
}

TEST_CASE("exporter: a plugin that writes files is asked to open them anew, also an idle one") {
    Spy spy;
    const std::unique_ptr<Exporter> exporter = open_exporter(config_of(spy));
    exporter->start({});
    exporter->ask_to_reopen();
    spy.reopened.acquire();  // Returns, or the test runs into its time limit.
    exporter->ask_to_reopen();
    spy.reopened.acquire();
    REQUIRE(exporter->drain_and_stop(ample));
    CHECK(std::ranges::count(spy.calls, 'r') == 2);
    CHECK(spy.calls.back() == 'f');  // Nothing more comes after the end.
}

TEST_CASE("exporter: a plugin without files is not asked to open any") {
    ExporterConfig config;
    config.path = PLUGIN_DIR "/null.so";
    config.name = "null";
    const std::unique_ptr<Exporter> exporter = open_exporter(config);
    exporter->start({});
    exporter->ask_to_reopen();
    CHECK(exporter->drain_and_stop(ample));
}

TEST_CASE("exporter: an idle plugin is flushed after a batch, without being stopped") {
    Spy spy;
    const std::unique_ptr<Exporter> exporter = open_exporter(config_of(spy));
    exporter->start({});
    emit(*exporter, 0, 1);
    spy.flushed.acquire();  // Returns, or the test runs into its time limit.
    REQUIRE(exporter->drain_and_stop(ample));
    CHECK(std::ranges::count(spy.calls, 'f') == 2);
}

TEST_CASE("exporter: one that was never started may be stopped and destroyed") {
    Spy spy;
    {
        const std::unique_ptr<Exporter> exporter = open_exporter(config_of(spy));
        CHECK(exporter->drain_and_stop(ample));
    }
    CHECK(std::string(spy.calls.begin(), spy.calls.end()) == "cd");
}

TEST_CASE("exporter: its thread is named, takes no signals, and keeps off the cores' CPUs") {
    Spy spy;
    ExporterConfig config = config_of(spy);
    config.name = "a-rather-long-name";
    const std::unique_ptr<Exporter> exporter = open_exporter(config);
    emit(*exporter, 0, 1);
    cpu_set_t ours;
    REQUIRE(::sched_getaffinity(0, sizeof(ours), &ours) == 0);
    std::uint32_t first = 0;
    while (!CPU_ISSET(first, &ours)) {
        ++first;
    }
    sigset_t before;
    sigset_t after;
    REQUIRE(::pthread_sigmask(SIG_BLOCK, nullptr, &before) == 0);
    const std::uint32_t core_cpus[] = {first};
    exporter->start(core_cpus);
    REQUIRE(::pthread_sigmask(SIG_BLOCK, nullptr, &after) == 0);
    REQUIRE(exporter->drain_and_stop(ample));

    CHECK(spy.thread_name == "lm-exp-a-rather");
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGUSR1}) {
        CHECK(::sigismember(&spy.signals, signal) == 1);
        CHECK(::sigismember(&before, signal) == ::sigismember(&after, signal));
    }
    // With one CPU there is nowhere to go.
    CHECK(CPU_ISSET(first, &spy.cpus) == (CPU_COUNT(&ours) == 1));
    CHECK(CPU_COUNT(&spy.cpus) == std::max(CPU_COUNT(&ours) - 1, 1));
}

TEST_CASE("exporter: two of one plugin are two instances") {
    Spy first;
    Spy second;
    const std::unique_ptr<Exporter> one = open_exporter(config_of(first));
    const std::unique_ptr<Exporter> two = open_exporter(config_of(second));
    emit(*one, 0, 1);
    emit(*two, 0, 2);
    one->start({});
    two->start({});
    REQUIRE(one->drain_and_stop(ample));
    REQUIRE(two->drain_and_stop(ample));
    CHECK(first.samples.size() == 1);
    CHECK(second.samples.size() == 2);
    CHECK(first.host != second.host);
}

TEST_CASE("exporter: a plugin that refuses is quoted") {
    Spy spy;
    spy.refuses = true;
    CHECK(refusal(config_of(spy)) ==
          "f.toml:10:1: exporter fast: the plugin refused its options; it said: the moon is full: "
          "wait a week");
    CHECK(std::string(spy.calls.begin(), spy.calls.end()) == "c");
}

TEST_CASE("exporter: a plugin that refuses in silence is refused") {
    Spy spy;
    spy.refuses_silently = true;
    CHECK(refusal(config_of(spy)).ends_with("it said: nothing"));
}

TEST_CASE("exporter: a plugin that throws in create() is refused") {
    Spy spy;
    spy.throws_in_create = true;
    CHECK(refusal(config_of(spy)).ends_with("threw an exception, which the ABI forbids"));
}

TEST_CASE("exporter: wrong and unknown options refuse an exporter that was made, and destroy it") {
    Spy spy;
    ExporterConfig config = config_of(spy);
    config.options.emplace_back("txt", at(std::string("a"), 12));
    config.options.emplace_back("text", at(true, 13));
    CHECK(refusal(config) ==
          "f.toml:12:1: exporter fast: does not know \"txt\": did you mean \"text\"?\n"
          "f.toml:13:1: exporter fast: text is not a text: write text = \"...\"");
    CHECK(std::string(spy.calls.begin(), spy.calls.end()) == "cd");
}

TEST_CASE("exporter: the ancestor's shape is `compatible`, and forgives unknown options") {
    Spy spy;
    ExporterConfig config = config_of(spy);
    config.is_compatible = true;
    config.options.emplace_back("txt", at(std::string("a"), 12));
    const std::unique_ptr<Exporter> exporter = open_exporter(config);
    CHECK(spy.is_compatible);
    exporter->queue(0).emit(sample_of(0, LATMON_KIND_REFLECTION));
    exporter->queue(0).emit(sample_of(0, LATMON_KIND_NODE));
    CHECK(exporter->accounts().samples.made == 1);
}

TEST_CASE("exporter: a plugin that cannot be loaded is refused with the place in the file") {
    ExporterConfig config;
    config.plugin = "nowhere";
    config.name = "fast";
    config.where = {.line = 10, .column = 3};
    CHECK(refusal(config).starts_with("f.toml:10:3: exporter fast: there is no nowhere.so in "));
}

TEST_CASE("exporter: strings from the options are valid until the end") {
    Spy spy;
    std::unique_ptr<Exporter> exporter;
    {
        ExporterConfig config = config_of(spy);
        config.options.emplace_back("text", at(std::string(100, 'x'), 12));
        exporter = open_exporter(config);
    }
    CHECK(spy.text == std::string(100, 'x'));
}

}  // namespace
}  // namespace latmon
