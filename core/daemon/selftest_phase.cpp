// SPDX-License-Identifier: Apache-2.0
//
// See selftest_phase.hpp.
#include "daemon/selftest_phase.hpp"

#include "base/assert.hpp"
#include "daemon/core_thread.hpp"
#include "daemon/node_counters.hpp"
#include "daemon/random.hpp"
#include "daemon/thread_setup.hpp"
#include "reactor/socket.hpp"

#include <sys/socket.h>
#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

namespace latmon {
namespace {

// From the barrier to slot 0, as in the daemon.
constexpr Duration start_delay = Duration::from_ms(20);
// After the last probe: its timeout, and what a host that hangs may take.
constexpr Duration idle_max = Duration::from_s(2);
constexpr Duration idle_poll = Duration::from_ms(2);
// Somebody else may take the port before we do.
constexpr int port_attempts = 3;

void sleep_for(Duration duration) {
    if (duration.ns > 0) std::this_thread::sleep_for(std::chrono::nanoseconds(duration.ns));
}

// A port that nobody had a moment ago.
Result<std::uint16_t> find_port() {
    const Outcome<Fd> socket = open_udp_socket({.local = *parse_endpoint("127.0.0.1", 0)});
    if (!socket) {
        return fail_errno(ExitCode::permission, "no socket can be opened", socket.error());
    }
    sockaddr_storage local{};
    socklen_t length = sizeof(local);
    const int result = ::getsockname(socket->get(), reinterpret_cast<sockaddr*>(&local), &length);
    LATMON_ASSERT(result == 0);
    return from_sockaddr(reinterpret_cast<const sockaddr&>(local)).port;
}

// One node: its plan stays where it is while its core-thread runs.
class Node {
public:
    Node(Plan plan, const Clock& clock, SampleQueue* queue)
        : plan_(std::move(plan)), thread_(plan_, plan_.listeners, clock, options(plan_, queue)) {}
    ~Node() { thread_.quit(); }
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    [[nodiscard]] const Plan& plan() const noexcept { return plan_; }
    [[nodiscard]] CoreThread& thread() noexcept { return thread_; }

private:
    static CoreOptions options(const Plan& plan, SampleQueue* queue) {
        CoreOptions options;
        if (queue != nullptr) options.consumers = {SampleConsumer(queue)};
        options.uses_kernel_stamps = plan.stamps != StampPolicy::user;
        options.boot_nonce = random_value<std::uint64_t>();
        options.hash_key = random_value<HashKey>();
        return options;
    }

    const Plan plan_;
    CoreThread thread_;
};

PhaseAccounts accounts_of(const Node& node, const Core& core) {
    PhaseAccounts accounts;
    for (std::size_t probe = 0; probe < node.plan().cores.front().probes.size(); ++probe) {
        accounts.add(core.counters(probe));
    }
    return accounts;
}

// Where in the node's series a figure stands.
std::uint32_t offset_of(std::string_view name) {
    const std::vector<std::string> names = node_counter_names();
    const auto found = std::ranges::find(names, name);
    LATMON_ASSERT(found != names.end());
    return static_cast<std::uint32_t>(found - names.begin());
}

// The later reading replaces the earlier one.
void take_cost(const Sample& sample, std::uint32_t first_series, PhaseCost& cost) {
    static const std::array<std::pair<std::uint32_t, std::optional<std::int64_t> PhaseCost::*>, 3>
        figures{{{offset_of("interval_cpu_ppm"), &PhaseCost::cpu_ppm},
                 {offset_of("interval_cpu_ns_per_packet"), &PhaseCost::cpu_ns_per_probe},
                 {offset_of("interval_ring_calls_per_1000_packets"),
                  &PhaseCost::ring_calls_per_1000_probes}}};
    for (const auto& [offset, figure] : figures) {
        if (sample.series_id == first_series + offset) cost.*figure = sample.value;
    }
}

}  // namespace

SelftestRunner::SelftestRunner(const SelftestSetting& setting, const Clock& clock)
    : setting_(setting),
      clock_(clock),
      queue_(selftest_queue_samples, kind_bit(LATMON_KIND_EXCHANGE) | kind_bit(LATMON_KIND_NODE)) {}

Result<PhaseFigures> SelftestRunner::run(const PhaseSpec& phase) {
    Result<PhaseFigures> figures = fail(ExitCode::permission, "");
    for (int attempt = 0; attempt < port_attempts && !figures; ++attempt) {
        const Result<std::uint16_t> port = find_port();
        if (!port) return std::unexpected(port.error());
        figures = try_run(phase, *port);
        if (!figures && figures.error().code != ExitCode::permission) break;
    }
    return figures;
}

Result<PhaseFigures> SelftestRunner::try_run(const PhaseSpec& phase, std::uint16_t port) {
    Result<Plan> answers = reflector_plan(setting_, port);
    if (!answers) return std::unexpected(answers.error());
    Result<Plan> sends = sender_plan(setting_, phase, port);
    if (!sends) return std::unexpected(sends.error());
    const std::uint64_t descriptors = answers->fds_needed + sends->fds_needed;
    if (Result<void> limit = raise_file_limit(descriptors); !limit) {
        return std::unexpected(limit.error());
    }
    const std::uint64_t dropped_before = queue_.dropped.read();
    Node reflector(std::move(*answers), clock_, nullptr);
    Node sender(std::move(*sends), clock_, &queue_);
    for (Node* const node : {&reflector, &sender}) {
        if (Result<void> launched = node->thread().launch(); !launched) {
            return std::unexpected(launched.error());
        }
    }
    const Instant origin = clock_.now() + start_delay;
    const WallTime wall = clock_.wall_now() + start_delay;
    reflector.thread().release(origin);
    sender.thread().release(origin);
    sleep_for(origin + phase.duration - clock_.now());
    while (!sender.thread().send({.kind = CoreCommand::Kind::stop_sending}))
        std::this_thread::yield();
    const Instant give_up = clock_.now() + idle_max;
    while (!sender.thread().is_idle() && clock_.now() < give_up)
        sleep_for(idle_poll);
    sender.thread().quit();

    PhaseFigures figures(phase);
    figures.accounts = accounts_of(sender, sender.thread().core());
    figures.accounts.samples_dropped = queue_.dropped.read() - dropped_before;
    take_samples(sender.plan(),
                 {.begin = wall + phase.window_begin(), .end = wall + phase.window_end()}, figures);
    return figures;
}

void SelftestRunner::take_samples(const Plan& plan, const PhaseWindow& window,
                                  PhaseFigures& figures) {
    std::array<Sample, 64> batch;
    while (const std::uint32_t count = queue_.queue.pop_batch(batch)) {
        for (std::uint32_t index = 0; index < count; ++index) {
            const Sample& sample = batch[index];
            figures.add(sample, window);
            if (sample.kind != LATMON_KIND_NODE) continue;
            take_cost(sample, first_node_series(plan), figures.cost);
        }
    }
}

}  // namespace latmon
