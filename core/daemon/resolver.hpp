// SPDX-License-Identifier: Apache-2.0
//
// Finds the addresses of targets that are given by name, again and again, on a thread of its own,
// because getaddrinfo(3) blocks for as long as it likes. A name that fails keeps its last address
// and is tried again; only changes reach the main-thread, which passes them on to the cores.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace latmon {

// A target that is given by name.
struct ResolverName {
    std::uint32_t target_index = 0;
    std::string host;
    std::optional<bool> wants_ipv4;  // The target's `source` ties it to a family.
    Endpoint address{};              // The one that it has already; port 0. Zero: none.
};

struct ResolvedTarget {
    std::uint32_t target_index = 0;
    Endpoint address;  // Port 0.
    std::string host;  // The name's: the index may be another target's by now.
};

class Resolver {
public:
    // Each name is looked up every `interval`. [main-thread]
    explicit Resolver(Duration interval);
    ~Resolver();  // A look-up that hangs is left behind, not waited for.
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    // From now on these, and no others; what is known of those that stay is kept. The first names
    // start its thread. [main-thread]
    void set_names(std::vector<ResolverName> names);

    // Becomes readable when there are changes to take. [main-thread]
    [[nodiscard]] int ready_fd() const noexcept;
    [[nodiscard]] std::vector<ResolvedTarget> take_changes();

private:
    struct Shared;  // Outlives the Resolver if a look-up hangs when it goes.

    std::shared_ptr<Shared> shared_;
    bool has_thread_ = false;
};

}  // namespace latmon
