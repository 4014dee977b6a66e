// SPDX-License-Identifier: Apache-2.0
//
// See resolver.hpp.
#include "daemon/resolver.hpp"

#include "base/fd.hpp"
#include "base/log.hpp"
#include "base/time.hpp"
#include "daemon/thread_setup.hpp"

#include <netdb.h>
#include <sys/eventfd.h>
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>

namespace latmon {
namespace {

// After a failure: soon at first, for the name server may be starting like ourselves.
constexpr Duration retry_min = Duration::from_s(1);

struct Name {
    std::uint32_t target_index = 0;
    std::string host;
    std::optional<bool> wants_ipv4;
    Endpoint address;
    Instant next_try{};
    Duration pause = retry_min;
    bool is_failing = false;

    [[nodiscard]] bool is(const ResolverName& other) const {
        return target_index == other.target_index && host == other.host &&
               wants_ipv4 == other.wants_ipv4;
    }
};

Name name_of(const ResolverName& wanted) {
    Name name;
    name.target_index = wanted.target_index;
    name.host = wanted.host;
    name.wants_ipv4 = wanted.wants_ipv4;
    name.address = wanted.address;
    return name;
}

struct AddressList {
    addrinfo* first = nullptr;
    ~AddressList() {
        if (first != nullptr) ::freeaddrinfo(first);
    }
};

// The address of `name`: the one it has, if the answer still contains it, else the answer's first.
// Otherwise why there is none.
std::expected<Endpoint, std::string> look_up(const Name& name) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    if (name.wants_ipv4) hints.ai_family = *name.wants_ipv4 ? AF_INET : AF_INET6;
    AddressList list;
    const int result = ::getaddrinfo(name.host.c_str(), nullptr, &hints, &list.first);
    if (result != 0) return std::unexpected(std::string(::gai_strerror(result)));
    std::optional<Endpoint> first;
    for (const addrinfo* entry = list.first; entry != nullptr; entry = entry->ai_next) {
        const Endpoint address = from_sockaddr(*entry->ai_addr);
        // A name server that blocks names answers 0.0.0.0, which would be ourselves.
        if (is_unspecified(address) || is_multicast(address.address)) continue;
        if (address == name.address) return address;
        if (!first) first = address;
    }
    if (!first) return std::unexpected(std::string("it has no address that can be probed"));
    return *first;
}

}  // namespace

struct Resolver::Shared {
    explicit Shared(Duration resolve_interval)
        : interval(std::max(resolve_interval, retry_min)),
          ready_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

    void run();
    void try_name(Name& name);
    void publish(const Name& name);
    void take_wanted();
    [[nodiscard]] Name* next_name() noexcept;

    std::vector<Name> names;  // The resolver thread's own.
    const Duration interval;
    const Fd ready_fd;
    const OsClock clock;

    std::mutex mutex;  // Guards what follows.
    std::condition_variable changed;
    std::vector<ResolvedTarget> changes;
    std::optional<std::vector<ResolverName>> wanted;  // Not taken yet.
    bool is_stopping = false;
};

// `mutex` is held.
void Resolver::Shared::take_wanted() {
    if (!wanted) return;
    std::unordered_map<std::uint32_t, Name> known;
    for (Name& name : names)
        known.emplace(name.target_index, std::move(name));
    names.clear();
    for (const ResolverName& each : *wanted) {
        const auto found = known.find(each.target_index);
        const bool stays = found != known.end() && found->second.is(each);
        names.push_back(stays ? std::move(found->second) : name_of(each));
    }
    wanted.reset();
}

Name* Resolver::Shared::next_name() noexcept {
    const auto next = std::min_element(names.begin(), names.end(),
                                       [](auto& a, auto& b) { return a.next_try < b.next_try; });
    return next == names.end() ? nullptr : &*next;
}

void Resolver::Shared::publish(const Name& name) {
    const std::lock_guard lock(mutex);
    changes.push_back({name.target_index, name.address, name.host});
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(ready_fd.get(), &one, sizeof(one));
}

void Resolver::Shared::try_name(Name& name) {
    const std::expected<Endpoint, std::string> found = look_up(name);
    if (found && *found != name.address) {
        name.address = *found;
        log::info("target " + name.host + " is at " + to_string(found->address));
        publish(name);
    }
    // One line per change of state, however often it is tried.
    if (!found && !name.is_failing) {
        log::warning("target " + name.host + " cannot be resolved (" + found.error() + "); " +
                     (name.address == Endpoint{} ? "it is not probed until it can"
                                                 : "its last address is kept"));
    } else if (found && name.is_failing) {
        log::info("target " + name.host + " resolves again");
    }
    name.is_failing = !found;
    name.pause = found ? retry_min : std::min(name.pause * 2, interval);
    name.next_try = clock.now() + (found ? interval : name.pause);
}

void Resolver::Shared::run() {
    name_thread("lm-resolver");
    for (;;) {
        Name* next = nullptr;
        {
            std::unique_lock lock(mutex);
            take_wanted();
            next = next_name();
            const Duration wait = next == nullptr ? interval : next->next_try - clock.now();
            const auto is_disturbed = [&] { return is_stopping || wanted.has_value(); };
            if (wait.ns > 0) {
                changed.wait_for(lock, std::chrono::nanoseconds(wait.ns), is_disturbed);
            }
            if (is_stopping) return;
            if (wanted) continue;
        }
        if (next != nullptr && next->next_try <= clock.now()) try_name(*next);
    }
}

Resolver::Resolver(Duration interval) : shared_(std::make_shared<Shared>(interval)) {}

Resolver::~Resolver() {
    const std::lock_guard lock(shared_->mutex);
    shared_->is_stopping = true;
    shared_->changed.notify_all();
}

void Resolver::set_names(std::vector<ResolverName> names) {
    if (names.empty() && !has_thread_) return;
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->wanted = std::move(names);
        shared_->changed.notify_all();
    }
    if (has_thread_) return;
    has_thread_ = true;
    std::thread([shared = shared_] { shared->run(); }).detach();
}

int Resolver::ready_fd() const noexcept {
    return shared_->ready_fd.get();
}

std::vector<ResolvedTarget> Resolver::take_changes() {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t octets = ::read(ready_fd(), &count, sizeof(count));
    const std::lock_guard lock(shared_->mutex);
    return std::exchange(shared_->changes, {});
}

}  // namespace latmon
