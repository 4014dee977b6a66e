// SPDX-License-Identifier: Apache-2.0
//
// The socket that publishes, and exact accounts of what became of each message. It is a ZMQ_XPUB:
// to subscribers that is a ZMQ_PUB, but it says who subscribes, and it can refuse a message
// (ZMQ_XPUB_NODROP) where a ZMQ_PUB drops it in silence. Never blocks. The socket is made on the
// main-thread and used on the exporter-thread, which begins after that and ends before the end.
#pragma once

#include "zeromq/allow_list.hpp"
#include "zeromq/settings.hpp"
#include "zeromq/subscriptions.hpp"

#include <zmq.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace latmon::plugins {

// Each message that was handed over is exactly one of these.
struct MessageCounts {
    std::uint64_t sent = 0;     // To every subscriber that wanted it, as far as its queue.
    std::uint64_t dropped = 0;  // Some subscriber's queue was full, so that it went to none.
    std::uint64_t unheard = 0;  // Nobody subscribed to it.
};

class Publisher {
public:
    // Binds and connects. Throws zmq::error_t, or std::runtime_error that names the endpoint.
    // [main-thread]
    explicit Publisher(const ZeromqSettings& settings);
    // Waits up to linger_ms for subscribers to take what they have not taken yet. [main-thread]
    ~Publisher();
    Publisher(const Publisher&) = delete;
    Publisher& operator=(const Publisher&) = delete;

    // Learns who has come and gone since the last call. Before every batch: what it does not know
    // of does not exist for send(). [exporter-thread]
    void look_for_subscribers();

    // Sends one frame, or if `topic` is not empty two. [exporter-thread]
    void send(std::string_view topic, std::string_view payload);

    [[nodiscard]] const MessageCounts& counts() const noexcept { return counts_; }
    [[nodiscard]] std::size_t subscriptions() const noexcept { return subscriptions_.size(); }

private:
    void set_options(const ZeromqSettings& settings);
    void set_curve(const CurveKeys& keys);
    void open_endpoints(const ZeromqSettings& settings);

    zmq::context_t context_;
    std::optional<CurveAllowList> allow_list_;
    zmq::socket_t socket_;
    Subscriptions subscriptions_;
    MessageCounts counts_;
};

}  // namespace latmon::plugins
