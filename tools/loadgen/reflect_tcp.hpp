// SPDX-License-Identifier: Apache-2.0
//
// One thread that accepts for all simulated targets over TCP and answers framed STAMP on the
// connections that speak it; one that says nothing is a plain connect, which is answer enough.
// Neither loss nor delay is simulated: in a stream there is no losing. A connection whose peer does
// not read is not read from either.
#pragma once

#include "base/fd.hpp"
#include "base/time.hpp"
#include "loadgen/address_list.hpp"
#include "loadgen/reflect_counts.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace latmon::loadgen {

class TcpTargets {
public:
    // [main-thread]
    TcpTargets(const AddressList& addresses, Fd listener, Fd epoll);

    // Until `end` or a stop signal. [its own thread]
    void run(Instant end);

    [[nodiscard]] const TcpCounts& counts() const noexcept { return counts_; }

private:
    struct Connection {
        Fd socket;
        std::vector<std::byte> input;   // Not yet whole frames.
        std::vector<std::byte> output;  // Not yet taken by the kernel.
        bool has_preface = false;
        std::uint32_t sequence = 0;  // Of the next reply.
    };

    void accept_all();
    [[nodiscard]] bool is_for_target(const Fd& socket) const noexcept;
    void serve(int fd);
    // These are false when the connection is over.
    [[nodiscard]] bool read(Connection& connection);
    [[nodiscard]] bool take_preface(Connection& connection);
    [[nodiscard]] bool take_frames(Connection& connection);
    [[nodiscard]] static bool write(Connection& connection);
    void take_frame(Connection& connection, std::span<std::byte> frame);
    void watch(const Connection& connection, bool is_known) const noexcept;

    const AddressList& addresses_;
    Fd listener_;
    Fd epoll_;
    std::unordered_map<int, Connection> connections_;
    std::vector<std::byte> scratch_;
    OsClock clock_;
    TcpCounts counts_;
};

}  // namespace latmon::loadgen
