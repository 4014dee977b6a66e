// SPDX-License-Identifier: Apache-2.0
//
// One thread that answers for all simulated targets over UDP; several share the port by
// SO_REUSEPORT, and the kernel gives every prober to one of them for good.
//
// T2 is the kernel's receipt of the request, so that whoever subtracts T3 - T2 from a round trip
// subtracts all that we took. T3 is one reading of the clock for a whole batch, when its last reply
// is ready; behind it lie the writing of the replies and one system call, and --batch 1 is exact.
// Without delay: receive a batch, answer in place, send the batch. With delay: T2 is the receipt
// plus the way there, the reply leaves after the way back too, and T3 - T2 is how late it leaves.
#pragma once

#include "base/fd.hpp"
#include "loadgen/delay_queue.hpp"
#include "loadgen/histogram.hpp"
#include "loadgen/reflect.hpp"
#include "loadgen/reflect_counts.hpp"
#include "loadgen/sequence_table.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace latmon::loadgen {

class UdpTargets {
public:
    // `thread_index` makes the chances of the threads differ. [main-thread]
    UdpTargets(const ReflectSetup& setup, Fd socket, std::uint32_t thread_index);

    // Until `end` or a stop signal. [its own thread]
    void run(Instant end);

    [[nodiscard]] const UdpCounts& counts() const noexcept { return counts_; }
    // These only when the thread has ended. How long requests were in our socket,
    [[nodiscard]] const Histogram& read_lateness() const noexcept { return read_lateness_; }
    // and how much later than due delayed replies left.
    [[nodiscard]] const Histogram& departure_lateness() const noexcept { return lateness_; }

private:
    struct Now {
        Instant instant;
        WallTime wall;
    };
    // A request that is to become its reply when the batch leaves. The packet stays until then.
    struct Reply {
        std::span<std::byte> packet;
        Ticket ticket;
        std::optional<Instant> due;  // Nothing: it was not delayed.
    };

    void wait(Instant end) const noexcept;
    void receive();
    void take(const ReceivedDatagram& datagram, Now now);
    void reach(const ReceivedDatagram& datagram, Crossing crossing, Ticket& ticket);
    void answer(const ReceivedDatagram& datagram, const Crossing& crossing, Ticket& ticket);
    void send_due();
    void send(const Reply& reply);
    void write_replies();
    void flush();

    const ReflectOptions& options_;
    const AddressList& addresses_;
    TargetFormat format_;
    Fd socket_;
    SimulatedLink link_;
    std::size_t header_bytes_;  // Of IP and UDP.
    SequenceTable sequences_;
    ReceiveBatch received_;
    SendBatch replies_;
    std::vector<Reply> unwritten_;
    std::vector<bool> is_second_;  // Of replies_: one that was doubled on purpose.
    DelayQueue waiting_;
    OsClock clock_;
    UdpCounts counts_;
    Histogram read_lateness_;
    Histogram lateness_;
};

}  // namespace latmon::loadgen
