// SPDX-License-Identifier: Apache-2.0
//
// See allow_list.hpp. A request has the frames version, request id, domain, address, identity,
// mechanism and, for CURVE, the client's key as octets; an answer version, request id, status code,
// status text, user id and metadata.
#include "zeromq/allow_list.hpp"

#include <zmq_addon.hpp>

#include <pthread.h>
#include <array>
#include <csignal>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace latmon::plugins {
namespace {

constexpr const char* zap_endpoint = "inproc://zeromq.zap.01";
constexpr std::size_t key_octets = 32;
enum RequestFrame : std::size_t { request_id = 1, mechanism = 5, credentials = 6, request_frames };

std::string octets_of(const std::string& z85) {
    std::array<std::uint8_t, key_octets> octets{};
    // 40 characters, checked by settings.cpp; those that stand for too large a number give NULL.
    if (::zmq_z85_decode(octets.data(), z85.c_str()) == nullptr) return "";
    return {octets.begin(), octets.end()};
}

}  // namespace

CurveAllowList::CurveAllowList(zmq::context_t& context, const std::vector<std::string>& keys)
    : socket_(context, zmq::socket_type::rep) {
    for (const std::string& key : keys)
        keys_.insert(octets_of(key));
    socket_.set(zmq::sockopt::linger, 0);
    socket_.bind(zap_endpoint);
    // A thread is born with its maker's mask: no signal of the daemon's may land in it.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

CurveAllowList::~CurveAllowList() {
    thread_.join();
}

void CurveAllowList::run() noexcept {
    ::pthread_setname_np(::pthread_self(), "lm-zmq-allow");
    try {
        for (;;)
            answer_one();
    } catch (const std::exception&) {  // ETERM: the context is shut down.
        socket_.close();
    }
}

void CurveAllowList::answer_one() {
    std::vector<zmq::message_t> request;
    if (!zmq::recv_multipart(socket_, std::back_inserter(request))) return;
    const bool is_curve =
        request.size() == request_frames && request[mechanism].to_string_view() == "CURVE";
    const bool is_allowed = is_curve && keys_.contains(request[credentials].to_string());
    const std::string id = request.size() > request_id ? request[request_id].to_string() : "";
    const std::array<zmq::const_buffer, 6> answer{
        zmq::str_buffer("1.0"),
        zmq::buffer(id),
        is_allowed ? zmq::str_buffer("200") : zmq::str_buffer("400"),
        is_allowed ? zmq::buffer(std::string_view("OK"))
                   : zmq::buffer(std::string_view("not one of curve_client_keys")),
        zmq::str_buffer(""),
        zmq::str_buffer("")};
    static_cast<void>(zmq::send_multipart(socket_, answer));
}

}  // namespace latmon::plugins
