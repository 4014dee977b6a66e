// SPDX-License-Identifier: Apache-2.0
//
// See publisher.hpp. The meaning of the options: zmq_setsockopt(3).
#include "zeromq/publisher.hpp"

#include <cerrno>
#include <stdexcept>
#include <string>

namespace latmon::plugins {
namespace {

[[noreturn]] void fail(const char* verb, const std::string& endpoint, const zmq::error_t& error) {
    std::string cure;
    switch (error.num()) {
        case EADDRINUSE:
            cure = ": another process has it; stop it or choose another";
            break;
        case ENODEV:
        case EADDRNOTAVAIL:
            cure = ": this host has no such address";
            break;
        case EINVAL:
            cure = ": write one such as \"tcp://*:8002\" or \"ipc:///run/latmon/samples\"";
            break;
        default:
            break;
    }
    throw std::runtime_error(std::string("cannot ") + verb + " " + endpoint + ": " + error.what() +
                             cure);
}

}  // namespace

Publisher::Publisher(const ZeromqSettings& settings) : socket_(context_, zmq::socket_type::xpub) {
    try {
        set_options(settings);
        set_curve(settings.curve);
        open_endpoints(settings);
    } catch (...) {  // The allow list's thread ends with the context.
        socket_.close();
        context_.shutdown();
        throw;
    }
}

Publisher::~Publisher() {
    socket_.close();
    context_.shutdown();
    allow_list_.reset();
    context_.close();  // This is what waits.
}

void Publisher::set_options(const ZeromqSettings& settings) {
    socket_.set(zmq::sockopt::ipv6, settings.has_ipv6);
    socket_.set(zmq::sockopt::sndhwm, settings.send_high_water_mark);
    socket_.set(zmq::sockopt::linger, settings.linger_ms);
    socket_.set(zmq::sockopt::xpub_nodrop, settings.has_exact_drops);
    // Nothing is queued for a far end that is not there: it would fill the queue, and NODROP would
    // then refuse everybody's messages. The same with one that is there and reads no more:
    // TCP_USER_TIMEOUT, which also ends a connection whose window stays closed (Linux 5.11).
    socket_.set(zmq::sockopt::immediate, true);
    socket_.set(zmq::sockopt::tcp_maxrt, settings.stuck_timeout_ms);
}

void Publisher::set_curve(const CurveKeys& keys) {
    if (keys.secret_key.empty()) return;
    socket_.set(zmq::sockopt::curve_secretkey, keys.secret_key);
    if (!keys.server_key.empty()) {
        socket_.set(zmq::sockopt::curve_publickey, keys.public_key);
        socket_.set(zmq::sockopt::curve_serverkey, keys.server_key);
        return;
    }
    socket_.set(zmq::sockopt::curve_server, true);
    if (keys.client_keys.empty()) return;
    socket_.set(zmq::sockopt::zap_domain, "latmon");
    allow_list_.emplace(context_, keys.client_keys);
}

void Publisher::open_endpoints(const ZeromqSettings& settings) {
    for (const std::string& endpoint : settings.bind) {
        try {
            socket_.bind(endpoint);
        } catch (const zmq::error_t& error) {
            fail("bind", endpoint, error);
        }
    }
    for (const std::string& endpoint : settings.connect) {
        try {
            socket_.connect(endpoint);
        } catch (const zmq::error_t& error) {
            fail("connect", endpoint, error);
        }
    }
}

void Publisher::look_for_subscribers() {
    zmq::message_t message;
    while (socket_.recv(message, zmq::recv_flags::dontwait))
        subscriptions_.take(message.to_string_view());
}

void Publisher::send(std::string_view topic, std::string_view payload) {
    // A subscriber that libzmq may know of by now, but we do not, gets nothing: else a message that
    // is counted as unheard would be heard.
    if (!subscriptions_.wants(topic.empty() ? payload : topic)) {
        ++counts_.unheard;
        return;
    }
    if (!topic.empty()) {
        if (!socket_.send(zmq::buffer(topic),
                          zmq::send_flags::dontwait | zmq::send_flags::sndmore)) {
            ++counts_.dropped;
            return;
        }
    }
    // Queues count whole messages: where the first frame had room the second has, too.
    const bool is_sent = socket_.send(zmq::buffer(payload), zmq::send_flags::dontwait).has_value();
    ++(is_sent ? counts_.sent : counts_.dropped);
}

}  // namespace latmon::plugins
