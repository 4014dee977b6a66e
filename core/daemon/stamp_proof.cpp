// SPDX-License-Identifier: Apache-2.0
//
// See stamp_proof.hpp.
#include "daemon/stamp_proof.hpp"

#include "base/assert.hpp"
#include "base/fd.hpp"
#include "probe/open_path.hpp"
#include "reactor/control.hpp"
#include "reactor/hardware_stamps.hpp"
#include "reactor/socket.hpp"
#include "wire/stamp.hpp"

#include <ifaddrs.h>
#include <poll.h>
#include <sys/socket.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <utility>

namespace latmon {
namespace {

constexpr Duration tx_stamp_max = Duration::from_ms(50);
constexpr const char* loopback_name = "lo";
const Prefix loopback_prefix = *parse_prefix("127.0.0.0/8");

// The first socket of a host that asks for receive stamps switches them on, a moment later: of the
// packets to ourselves the first may be too early.
constexpr std::uint32_t loopback_tries = 3;

// -- Routes -------------------------------------------------------------------------------------

// Which interface leads where. Asking costs two system calls a target, so that thousands of them do
// not hold up a start.
class Routes {
public:
    Routes() { list_addresses(); }

    // As interface_towards().
    [[nodiscard]] std::string interface_of(const ProbePlan& probe, const Endpoint& target);

private:
    void list_addresses();
    [[nodiscard]] std::optional<Endpoint> local_towards(const ProbePlan& probe,
                                                        const Endpoint& target);

    std::map<AddressBytes, std::string> own_;  // This host's addresses.
    Fd ipv4_;
    Fd ipv6_;
};

void Routes::list_addresses() {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return;
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr) continue;
        const int family = entry->ifa_addr->sa_family;
        if (family != AF_INET && family != AF_INET6) continue;
        own_.try_emplace(from_sockaddr(*entry->ifa_addr).address, entry->ifa_name);
    }
    ::freeifaddrs(list);
}

// The address that the kernel would send from; nothing if it knows no way.
std::optional<Endpoint> Routes::local_towards(const ProbePlan& probe, const Endpoint& target) {
    const bool is_plain = !probe.source;
    Fd& plain = is_ipv4(target.address) ? ipv4_ : ipv6_;
    if (!is_plain || !plain.is_open()) {
        Outcome<Fd> socket = open_udp_socket(path_options(probe, target));
        if (!socket) return std::nullopt;
        plain = std::move(*socket);
    }
    sockaddr_storage address{};
    socklen_t length = as_sockaddr(target, address);
    sockaddr* const raw = reinterpret_cast<sockaddr*>(&address);
    if (is_plain && ::connect(plain.get(), raw, length) != 0) return std::nullopt;
    length = sizeof(address);
    const int result = ::getsockname(plain.get(), raw, &length);
    if (!is_plain) plain.reset();  // Bound to a source that is not the next one's.
    if (result != 0) return std::nullopt;
    return from_sockaddr(*raw);
}

std::string Routes::interface_of(const ProbePlan& probe, const Endpoint& target) {
    // What goes to ourselves never leaves by a card, whatever it is bound to.
    if (own_.contains(target.address)) return loopback_name;
    if (!probe.interface.empty()) return probe.interface;
    const std::optional<Endpoint> local = local_towards(probe, target);
    if (!local) return "";
    const auto found = own_.find(local->address);
    if (found != own_.end()) return found->second;
    // 127.0.0.2 and its neighbours stand in no list.
    return loopback_prefix.contains(local->address) ? loopback_name : "";
}

// -- Trials -------------------------------------------------------------------------------------

// One packet under way.
struct Trial {
    StampVerdict verdict;
    Fd sender;
    Fd receiver;  // Of loopback alone: ourselves.
    std::uint32_t tries = 1;
    bool has_sent = false;
    bool is_refused = false;  // ICMP says that no reply will come.

    [[nodiscard]] int reply_fd() const noexcept {
        return receiver.is_open() ? receiver.get() : sender.get();
    }
    [[nodiscard]] bool waits_for_reply() const noexcept {
        return has_sent && !is_refused && verdict.rx == StampProof::no_packet;
    }
    [[nodiscard]] bool waits_for_stamp() const noexcept {
        return has_sent && verdict.tx == StampProof::not_seen;
    }
};

void fail_sending(Trial& trial, int error_number) {
    trial.verdict.send_error = error_number;
}

void send_probe(Trial& trial) {
    const OsClock clock;
    std::array<std::byte, limits::stamp_base_bytes> packet{};
    const std::uint16_t unknown_error = encode_error_estimate(
        {.is_synchronized = false, .is_ptp = false, .error = Duration::from_s(16)});
    encode_sender({.t1 = to_ntp(clock.wall_now()), .error_estimate = unknown_error}, packet);
    if (::send(trial.sender.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        fail_sending(trial, errno);
        return;
    }
    trial.has_sent = true;
    trial.verdict.tx = StampProof::not_seen;
}

// Opens the sender's socket and lets the packet go.
void begin(Trial& trial, const SocketOptions& options) {
    Outcome<Fd> socket = open_udp_socket(options);
    if (!socket) return fail_sending(trial, socket.error());
    trial.sender = std::move(*socket);
    // Refused: no stamp will come, and that is the verdict.
    static_cast<void>(request_stamps(trial.sender.get(), {.wants_tx = true}));
    send_probe(trial);
}

void begin_loopback(Trial& trial) {
    Endpoint self = *parse_endpoint("127.0.0.1", 0);
    Outcome<Fd> receiver = open_udp_socket({.local = self, .wants_stamps = true});
    if (!receiver) return fail_sending(trial, receiver.error());
    trial.receiver = std::move(*receiver);
    sockaddr_storage local{};
    socklen_t length = sizeof(local);
    const int result =
        ::getsockname(trial.receiver.get(), reinterpret_cast<sockaddr*>(&local), &length);
    LATMON_ASSERT(result == 0);
    self = from_sockaddr(reinterpret_cast<const sockaddr&>(local));
    trial.verdict.target = self;
    trial.tries = loopback_tries;
    begin(trial, {.remote = self, .wants_stamps = true});
}

void begin_probe(Trial& trial, const ProbePlan& probe) {
    SocketOptions options = path_options(probe, trial.verdict.target);
    options.wants_stamps = true;
    begin(trial, options);
}

// -- Reading ------------------------------------------------------------------------------------

void take_reply(Trial& trial) {
    std::array<std::byte, limits::stamp_base_bytes> data{};
    alignas(cmsghdr) std::array<std::byte, limits::receive_control_bytes> control{};
    iovec part{data.data(), data.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    if (::recvmsg(trial.reply_fd(), &header, MSG_DONTWAIT) < 0) {
        trial.is_refused = errno != EAGAIN;
        return;
    }
    if (arrival_in(header)) {
        trial.verdict.rx = StampProof::proved;
    } else if (--trial.tries > 0) {
        send_probe(trial);
    } else {
        trial.verdict.rx = StampProof::not_seen;
    }
}

void take_errors(Trial& trial) {
    for (;;) {
        const Outcome<SocketError> entry = take_socket_error(trial.sender.get());
        if (!entry && entry.error() == EAGAIN) return;
        if (!entry) {
            trial.is_refused = true;
            return;
        }
        if (entry->stamp.source != StampSource::none) {
            if (entry->stamp.point == StampPoint::sent) trial.verdict.tx = StampProof::proved;
        } else {
            trial.is_refused = true;
        }
    }
}

// Reads what has come for one trial.
void look(Trial& trial, const pollfd& sender, const pollfd& reply) {
    if ((sender.revents & POLLERR) != 0) take_errors(trial);
    // An error of the socket itself would make poll() return for ever; reading it takes it away.
    const bool has_error = (sender.revents & POLLERR) != 0 && trial.is_refused;
    const bool has_input = (reply.revents & POLLIN) != 0;
    if (has_input || has_error) take_reply(trial);
}

void wait_for_all(std::vector<Trial>& trials) {
    const OsClock clock;
    const Instant began = clock.now();
    std::vector<pollfd> waiting(2 * trials.size());
    for (Instant now = began; now - began < stamp_proof_max; now = clock.now()) {
        const bool is_stamp_due = now - began < tx_stamp_max;
        bool waits = false;
        for (std::size_t index = 0; index < trials.size(); ++index) {
            const Trial& trial = trials[index];
            const bool wants_stamp = is_stamp_due && trial.waits_for_stamp();
            const bool wants_reply = trial.waits_for_reply();
            waits |= wants_stamp || wants_reply;
            // Errors are reported unasked, so that a socket that waits for nothing is left out.
            waiting[2 * index] = {wants_stamp || wants_reply ? trial.sender.get() : -1, 0, 0};
            waiting[2 * index + 1] = {wants_reply ? trial.reply_fd() : -1, POLLIN, 0};
        }
        if (!waits) return;
        const Duration left = (is_stamp_due ? tx_stamp_max : stamp_proof_max) - (now - began);
        const auto patience_ms = static_cast<int>(left / Duration::from_ms(1)) + 1;
        if (::poll(waiting.data(), waiting.size(), patience_ms) <= 0) continue;
        for (std::size_t index = 0; index < trials.size(); ++index) {
            look(trials[index], waiting[2 * index], waiting[2 * index + 1]);
        }
    }
}

// The interfaces in use, each with the first probe to prove it by: one over UDP, if there is one.
std::map<std::string, const ProbePlan*> interfaces_in_use(const Plan& plan) {
    Routes routes;
    std::map<std::string, const ProbePlan*> found;
    for (const CorePlan& core : plan.cores) {
        for (const ProbePlan& probe : core.probes) {
            if (!probe.address) continue;
            const std::string name = routes.interface_of(probe, *probe.address);
            if (name.empty() || name == loopback_name) continue;
            const ProbePlan*& by = found[name];
            const bool is_better = by == nullptr || by->kind != ProbeKind::udp;
            if (is_better) by = &probe;
        }
    }
    return found;
}

}  // namespace

std::string interface_towards(const ProbePlan& probe, const Endpoint& target) {
    return Routes().interface_of(probe, target);
}

std::vector<std::string> interfaces_towards(std::span<const ProbePlan> probes) {
    Routes routes;
    std::vector<std::string> names;
    names.reserve(probes.size());
    for (const ProbePlan& probe : probes) {
        names.push_back(probe.address ? routes.interface_of(probe, *probe.address) : "");
    }
    return names;
}

void ask_hardware(StampVerdict& verdict) {
    const Result<HardwareStamps> card = ask_hardware_stamps(verdict.interface);
    if (!card) {
        verdict.hardware_fault = card.error().text;
        return;
    }
    verdict.can_hardware = card->has_rx && card->has_tx;
    if (verdict.can_hardware) return;
    verdict.hardware_fault = !card->has_rx && !card->has_tx ? "it has none"
                             : card->has_rx                 ? "not of what it sends"
                                                            : "not of all that it receives";
}

std::vector<StampVerdict> prove_stamps(const Plan& plan) {
    std::vector<Trial> trials(1);
    trials.front().verdict.interface = loopback_name;
    begin_loopback(trials.front());
    for (const auto& [name, probe] : interfaces_in_use(plan)) {
        Trial& trial = trials.emplace_back();
        trial.verdict.interface = name;
        trial.verdict.target = *probe->address;
        if (probe->kind == ProbeKind::udp) begin_probe(trial, *probe);
    }
    wait_for_all(trials);
    std::vector<StampVerdict> verdicts;
    for (Trial& trial : trials) {
        ask_hardware(trial.verdict);
        verdicts.push_back(std::move(trial.verdict));
    }
    return verdicts;
}

}  // namespace latmon
