// SPDX-License-Identifier: Apache-2.0
//
// Finds the addresses of targets that are given by name, again and again, on a thread of its own,
// because getaddrinfo(3) blocks for as long as it likes. A name that fails keeps its last address
// and is tried again; only changes reach the main-thread, which passes them on to the cores.
#pragma once

#include "base/address.hpp"
#include "config/plan.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace latmon {

struct ResolvedTarget {
    std::uint32_t target_index = 0;
    Endpoint address;  // Port 0.
};

class Resolver {
public:
    // Looks up every target of `plan` whose host is not a literal. [main-thread]
    explicit Resolver(const Plan& plan);
    ~Resolver();  // A look-up that hangs is left behind, not waited for.
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    // Does nothing if no target has a name. [main-thread]
    void start();

    // Becomes readable when there are changes to take; -1 if it was not started. [main-thread]
    [[nodiscard]] int ready_fd() const noexcept;
    [[nodiscard]] std::vector<ResolvedTarget> take_changes();

private:
    struct Shared;  // Outlives the Resolver if a look-up hangs when it goes.

    std::shared_ptr<Shared> shared_;
};

}  // namespace latmon
