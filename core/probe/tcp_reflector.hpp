// SPDX-License-Identifier: Apache-2.0
//
// Answers probes over TCP: accepts connections on one listener, greets, and sends every probe frame
// back with its own stamps, as many octets as it got. Each connection has a fixed place with a
// buffer of its own; replies are made in place and sent before more is read, so that a sender that
// does not read its replies only stops itself. A connection that begins with a digit is the
// ancestor's and gets its messages answered in its format, one reply to each. Used on one
// core-thread; allocates nothing after listen().
//
//   accept -> preface (5 s) -> frames ... -> closing        reading and sending take turns
//          -> the ancestor's first message (5 s) -> messages ... -> closing
#pragma once

#include "base/zeroed_array.hpp"
#include "probe/admission.hpp"
#include "probe/ancestor_reflection.hpp"
#include "probe/probe.hpp"
#include "wire/ancestor_stream.hpp"
#include "wire/frame.hpp"

#include <array>
#include <memory>
#include <string_view>
#include <vector>

namespace latmon {

// What became of connections and frames. accepted = open + the sum of the closed_ counters;
// connections refused at accept are counted under refused_ alone.
struct TcpReflectorCounters {
    PublishedCounter accepted;
    PublishedCounter reflected;            // Frames answered.
    PublishedCounter reflected_ancestor;   // Messages of the ancestor's answered.
    PublishedCounter refused_not_allowed;  // The address is not in the allow-list.
    PublishedCounter refused_gone;         // Reset by the peer before we came to it.
    PublishedCounter refused_full;         // All places, or all of this address's, are taken.
    PublishedCounter refused_no_socket;    // This host has no descriptor left.
    PublishedCounter closed_by_peer;
    PublishedCounter closed_no_preface;  // Said nothing in time.
    PublishedCounter closed_idle;
    PublishedCounter closed_ancestor;  // Speaks the Python tool's protocol, if not answered.
    PublishedCounter closed_tls;
    PublishedCounter closed_garbage;          // Speaks something else.
    PublishedCounter closed_broken;           // Spoke a protocol of ours, then made no sense.
    PublishedCounter closed_unauthenticated;  // What must be authenticated and is not.
};

// The counters by name, as in the names of metrics.
struct TcpCounterName {
    std::string_view name;
    PublishedCounter TcpReflectorCounters::*counter;
};
inline constexpr std::array tcp_counter_names{
    TcpCounterName{"accepted", &TcpReflectorCounters::accepted},
    TcpCounterName{"reflected", &TcpReflectorCounters::reflected},
    TcpCounterName{"reflected_ancestor", &TcpReflectorCounters::reflected_ancestor},
    TcpCounterName{"refused_not_allowed", &TcpReflectorCounters::refused_not_allowed},
    TcpCounterName{"refused_gone", &TcpReflectorCounters::refused_gone},
    TcpCounterName{"refused_full", &TcpReflectorCounters::refused_full},
    TcpCounterName{"refused_no_socket", &TcpReflectorCounters::refused_no_socket},
    TcpCounterName{"closed_by_peer", &TcpReflectorCounters::closed_by_peer},
    TcpCounterName{"closed_no_preface", &TcpReflectorCounters::closed_no_preface},
    TcpCounterName{"closed_idle", &TcpReflectorCounters::closed_idle},
    TcpCounterName{"closed_ancestor", &TcpReflectorCounters::closed_ancestor},
    TcpCounterName{"closed_tls", &TcpReflectorCounters::closed_tls},
    TcpCounterName{"closed_garbage", &TcpReflectorCounters::closed_garbage},
    TcpCounterName{"closed_broken", &TcpReflectorCounters::closed_broken},
    TcpCounterName{"closed_unauthenticated", &TcpReflectorCounters::closed_unauthenticated},
};

class TcpReflector {
public:
    // `series_id` is that of the samples it emits.
    TcpReflector(CoreContext& context, const AdmissionRules& rules, std::uint32_t series_id);
    TcpReflector(const TcpReflector&) = delete;
    TcpReflector& operator=(const TcpReflector&) = delete;

    // Starts accepting on a listener; may be called for several. The first reserves the memory of
    // all connections. [core-thread, before the start barrier]
    void listen(SocketId listener);

    [[nodiscard]] const TcpReflectorCounters& counters() const noexcept { return counters_; }

private:
    static constexpr std::size_t memory_bytes =
        std::size_t{limits::tcp_sessions_per_core} * limits::tcp_buffer_bytes;

    enum class State : std::uint8_t { free, greeting, open, closing };

    struct Session {
        explicit Session(TcpReflector& reflector) noexcept;
        void on_receive(const Completion& completion) noexcept;
        void on_send(const Completion& completion) noexcept;
        void on_deadline(Instant now) noexcept;

        TcpReflector& owner;
        std::span<std::byte> buffer;
        std::size_t filled = 0;        // Octets of the stream in `buffer`.
        std::size_t sending = 0;       // Of these, replies that are being sent.
        std::size_t fresh_from = 0;    // Those from here on came with the latest receive.
        bool is_ancestor = false;      // As its first octet said.
        AncestorStream messages;       // If so.
        const HmacKey* key = nullptr;  // With which every frame must be authenticated.
        SocketId socket = no_socket;
        State state = State::free;
        std::uint16_t ssid = 0;
        std::uint32_t next_sequence = 0;  // The reflector's own, from 0 (RFC 8972 section 4).
        Endpoint peer;
        Instant last_heard;
        std::array<std::byte, preface_bytes> preface{};
        Message message;
        StreamInput input;
        MethodOperation<&Session::on_receive> receive{*this};
        MethodOperation<&Session::on_send> send{*this};
        MethodTimer<&Session::on_deadline> deadline{*this, false};
    };

    struct Accept final : Operation {
        explicit Accept(TcpReflector& reflector) noexcept;
        void on_retry(Instant now) noexcept;
        TcpReflector* owner;
        SocketId listener = no_socket;
        MethodTimer<&Accept::on_retry> retry{*this, false};
    };

    void make_sessions();
    void on_accept(Accept& accept, const Completion& completion) noexcept;
    [[nodiscard]] bool has_room_for(const AddressBytes& address) const noexcept;
    void open_session(Session& session, SocketId socket, const Endpoint& peer) noexcept;
    void read_on(Session& session) noexcept;
    void take(Session& session) noexcept;
    [[nodiscard]] bool take_preface(Session& session) noexcept;
    [[nodiscard]] PublishedCounter* greet_ancestor(const Session& session) noexcept;
    void open(Session& session) noexcept;
    [[nodiscard]] PublishedCounter* take_frames(Session& session) noexcept;
    [[nodiscard]] PublishedCounter* take_messages(Session& session) noexcept;
    [[nodiscard]] bool answer_message(Session& session, std::size_t reply_at) noexcept;
    [[nodiscard]] Reflection reflection_of(Session& session, bool is_alone) noexcept;
    void reflect(Session& session, std::span<std::byte> frame) noexcept;
    [[nodiscard]] PublishedCounter* judge(const Session& session,
                                          std::span<const std::byte> packet) noexcept;
    void close_session(Session& session, PublishedCounter& reason) noexcept;
    void finish_closing(Session& session) noexcept;

    CoreContext& context_;
    const AdmissionRules& rules_;
    std::uint32_t series_id_;
    AncestorReflection ancestor_;
    TcpReflectorCounters counters_;
    ZeroedArray<std::byte> memory_{memory_bytes};  // Buffers, by connection.
    std::vector<std::unique_ptr<Session>> sessions_;
    std::vector<std::unique_ptr<Accept>> accepts_;  // One per listener; made by listen().
};

}  // namespace latmon
