// SPDX-License-Identifier: Apache-2.0
//
// Probes on request, for /probe: each run has a ring and a Core of its own, as `latmon ping` has,
// on a thread that keeps off the CPUs of the core-threads. So what somebody asks for here takes
// nothing from what the daemon measures but the network. Bounded: so many runs at once, each within
// its budget.
#pragma once

#include "admin/backend.hpp"
#include "admin/handler_pool.hpp"
#include "base/error.hpp"
#include "config/config.hpp"
#include "probe/prefix_set.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace latmon {

class AdminProbes {
public:
    // Errors: a module that no probe can be made of (ExitCode::configuration). [main-thread]
    [[nodiscard]] static Result<std::unique_ptr<AdminProbes>> open(const AdminConfig& config);

    // [main-thread]
    void start(std::span<const std::uint32_t> core_cpus);

    // Returns at once. `done` is called once: here, if the order is refused, or on another thread.
    // [any-thread]
    void probe(ProbeOrder order, const std::function<void(ProbeOutcome)>& done);

    // Ends runs under way, which is a matter of milliseconds unless a look-up of a name hangs.
    // False: one does, and this must not be destroyed. [main-thread]
    [[nodiscard]] bool stop(Duration grace);

    // For a person: "udp, tcp". [any-thread]
    [[nodiscard]] std::string module_names() const;

    // Descriptors that it may have open at once.
    [[nodiscard]] static std::uint64_t fds_needed(const AdminConfig& config) noexcept;

private:
    explicit AdminProbes(const AdminConfig& config);
    [[nodiscard]] const ProbeModuleConfig* find_module(const std::string& name) const noexcept;
    [[nodiscard]] ProbeOutcome run(const ProbeOrder& order, const ProbeModuleConfig& module);

    std::vector<ProbeModuleConfig> modules_;  // The operator's first.
    const PrefixSet allow_;
    const bool allows_any_;
    const std::uint32_t runs_max_;
    HandlerPool pool_;
    std::atomic<std::uint32_t> runs_{0};    // Between all that ask and all that run.
    std::atomic<bool> is_stopping_{false};  // Written by stop(), read by runs.
};

// How many probes fit into what is left of a budget, and how long each is waited for.
struct ProbeShare {
    std::uint32_t count = 0;
    Duration timeout;
};
// At least one, with whatever time there is. Pure.
[[nodiscard]] ProbeShare fit_probes(const ProbeModuleConfig& module, std::uint32_t count,
                                    Duration left) noexcept;

}  // namespace latmon
