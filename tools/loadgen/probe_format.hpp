// SPDX-License-Identifier: Apache-2.0
//
// The packets of simulated senders: STAMP, with or without a key, with TLVs and in several sizes,
// or those of the Python tool latency-monitor. Stamps a probe as it is written, and reads what a
// reply gives back. The octets are those of core/wire. One thread.
#pragma once

#include "base/time.hpp"
#include "loadgen/ledger.hpp"
#include "wire/hmac.hpp"
#include "wire/tlv_request.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace latmon::loadgen {

// One probe that is due. What is below the line is filled in when it is sent.
struct Shot {
    std::uint64_t slot = 0;
    std::uint32_t sender = 0;
    std::uint32_t sequence = 0;
    Instant due;
    bool is_doubled = false;  // It leaves twice, UDP only.
    // ----
    Instant sent_at;  // The three clocks, just before the system call.
    RawInstant raw_sent_at;
    WireTime t1;
    int error_number = 0;  // 0: the kernel has it.
};

class ProbeFormat {
public:
    virtual ~ProbeFormat() = default;

    // Of the longest packet.
    [[nodiscard]] virtual std::size_t size_bytes_max() const noexcept = 0;
    [[nodiscard]] virtual std::size_t size_bytes(std::uint32_t sender) const noexcept = 0;

    // Reads the clocks into `shot` and writes the packet of its sender into the first octets of
    // `out`, as many as size_bytes() says.
    virtual void write(Shot& shot, std::uint16_t ssid, std::span<std::byte> out) = 0;

    // What `reply`, or its first 320 octets, says of the request of `sender`, or of whom its SSID
    // says. Nothing if it is no reply of this kind, or not sealed with our key.
    [[nodiscard]] virtual std::optional<Echo> read(std::uint32_t sender,
                                                   std::span<const std::byte> reply) const = 0;
};

struct StampOptions {
    std::vector<std::uint32_t> sizes_bytes;  // Of the senders in turn; 44 or more, 112 with a key.
    TlvSet tlvs = tlv_set::none;
    const HmacKey* key = nullptr;  // Null: without authentication. Outlives the format.
};
[[nodiscard]] std::unique_ptr<ProbeFormat> make_stamp_format(const StampOptions& options);

// As long as asked, or as the text needs. `sender_count` senders with a name each, loadgen-00001
// and so on. Replies have a number alone, of the last 101 probes.
[[nodiscard]] std::unique_ptr<ProbeFormat> make_ancestor_format(
    const std::vector<std::uint32_t>& sizes_bytes, std::uint32_t sender_count);

}  // namespace latmon::loadgen
