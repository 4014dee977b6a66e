// SPDX-License-Identifier: Apache-2.0
//
// One thread that answers for all simulated targets over UDP; several share the port by
// SO_REUSEPORT, and the kernel gives every prober to one of them for good.
//
// Without delay: receive a batch, T2 for the batch, answer in place, T3 for each, send the batch. A
// reply waits for those before it in the batch, which a sender sees as network; --batch 1 is exact.
// With delay: T2 is arrival plus the way there, T3 the same, and the reply leaves after the way
// back too; how late it leaves is recorded.
#pragma once

#include "loadgen/address_list.hpp"
#include "loadgen/delay_queue.hpp"
#include "loadgen/histogram.hpp"
#include "loadgen/reflect.hpp"
#include "loadgen/reflect_counts.hpp"
#include "loadgen/sequence_table.hpp"
#include "wire/stamp.hpp"

#include <cstdint>

namespace latmon::loadgen {

class UdpTargets {
public:
    // `thread_index` makes the chances of the threads differ. [main-thread]
    UdpTargets(const ReflectOptions& options, const AddressList& addresses, Fd socket,
               std::uint32_t thread_index);

    // Until `end` or a stop signal. [its own thread]
    void run(Instant end);

    [[nodiscard]] const UdpCounts& counts() const noexcept { return counts_; }
    // How much later than due delayed replies left; only when the thread has ended.
    [[nodiscard]] const Histogram& departure_lateness() const noexcept { return lateness_; }

private:
    void wait(Instant end) const noexcept;
    void receive();
    void take(const ReceivedDatagram& datagram, WallTime t2);
    void answer(const ReceivedDatagram& datagram, const SenderPacket& request, WallTime t2);
    void delay(const ReceivedDatagram& datagram, const SenderPacket& request, WallTime arrival);
    [[nodiscard]] std::uint32_t next_sequence(const Route& route, std::uint16_t ssid) noexcept;
    void send_due();
    void flush() noexcept;

    const AddressList& addresses_;
    Fd socket_;
    SimulatedLink link_;
    SequenceTable sequences_;
    ReceiveBatch received_;
    SendBatch replies_;
    DelayQueue waiting_;
    OsClock clock_;
    UdpCounts counts_;
    Histogram lateness_;
};

}  // namespace latmon::loadgen
