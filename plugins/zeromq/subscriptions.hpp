// SPDX-License-Identifier: Apache-2.0
//
// What the subscribers of a ZMQ_XPUB socket want, as its messages say it (zmq_socket(3)): whether a
// message would go to anybody can then be told before it is sent, and counted. Knows no socket. One
// thread at a time.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace latmon::plugins {

class Subscriptions {
public:
    // One message that the socket received: octet 1 and a prefix that is wanted from now on, or
    // octet 0 and one that nobody wants any more. Anything else is of somebody's own making, and
    // means nothing.
    void take(std::string_view message);

    // True if a message whose first frame is this goes to somebody. Costs a search per distinct
    // length of prefix.
    [[nodiscard]] bool wants(std::string_view first_frame) const;

    // Distinct prefixes, not subscribers: the socket names each prefix once.
    [[nodiscard]] std::size_t size() const noexcept { return prefixes_.size(); }

private:
    std::set<std::string, std::less<>> prefixes_;
    std::map<std::size_t, std::size_t> lengths_;  // Length of a prefix -> how many have it.
};

}  // namespace latmon::plugins
