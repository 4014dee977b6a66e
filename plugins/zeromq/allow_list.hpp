// SPDX-License-Identifier: Apache-2.0
//
// Which CURVE clients may subscribe: libzmq asks a handler inside of its own context, by ZAP
// (rfc.zeromq.org/spec/27), and this is one, on a thread of its own, so that a client is let in
// while the exporter-thread waits for samples. Without one libzmq lets everybody in who knows the
// server's key.
#pragma once

#include <zmq.hpp>

#include <set>
#include <string>
#include <thread>
#include <vector>

namespace latmon::plugins {

class CurveAllowList {
public:
    // Starts to answer; make it before the socket that it is for is bound. `keys`: public keys in
    // Z85. [main-thread]
    CurveAllowList(zmq::context_t& context, const std::vector<std::string>& keys);
    // The context must have been shut down: that is what ends the thread. [main-thread]
    ~CurveAllowList();
    CurveAllowList(const CurveAllowList&) = delete;
    CurveAllowList& operator=(const CurveAllowList&) = delete;

private:
    void run() noexcept;
    void answer_one();

    std::set<std::string> keys_;  // As octets.
    zmq::socket_t socket_;        // Of the thread, once it runs.
    std::thread thread_;
};

}  // namespace latmon::plugins
