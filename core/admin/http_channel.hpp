// SPDX-License-Identifier: Apache-2.0
//
// The octets of one connection, whether plain or through TLS, without a type that says which, so
// that HttpSession is compiled once and knows no socket. Every operation is asynchronous: what is
// done is told to its handler, and at most one is under way. Limits of time are the session's: it
// closes the channel, and what was under way fails. Runs on the admin-thread alone.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>

namespace latmon {

class HttpChannel {
public:
    // Whether it came to a good end. May be called before the operation returns only where that is
    // said.
    using OnDone = std::function<void(bool)>;
    // How many octets came; 0: there will be no more, for whatever reason.
    using OnOctets = std::function<void(std::size_t)>;

    virtual ~HttpChannel() = default;

    // Before anything else. May call `on_done` at once. [admin-thread]
    virtual void handshake(OnDone on_done) = 0;

    // At least one octet into `room`, which is not empty and must stay. [admin-thread]
    virtual void read_some(std::span<char> room, OnOctets on_octets) = 0;

    // All of `octets`, which must stay. [admin-thread]
    virtual void write(std::string_view octets, OnDone on_done) = 0;

    // Tells the other end that nothing more comes. What it still says can be read if this came to a
    // good end. May call `on_done` at once. [admin-thread]
    virtual void shutdown(OnDone on_done) = 0;

    // At once; what is under way fails. The second time nothing happens. [admin-thread]
    virtual void close() noexcept = 0;
};

}  // namespace latmon
