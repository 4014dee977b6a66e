// SPDX-License-Identifier: Apache-2.0
//
// See core_thread.hpp.
#include "daemon/core_thread.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
#include "daemon/thread_setup.hpp"
#include "reactor/ring_uring.hpp"

#include <array>
#include <string>

namespace latmon {
namespace {

constexpr std::uint32_t command_capacity = 1'024;

// With nothing to do the loop turns once a second; while it spins it looks for commands more often,
// because nothing wakes it; and at the end, to see soon that nothing is in flight.
constexpr Duration turn_sleeping = Duration::from_s(1);
constexpr Duration turn_spinning = Duration::from_ms(10);

// Sockets beyond those of the plan: accepted connections are counted apart.
constexpr std::uint32_t spare_sockets = 16;

// An operator who asked for the kernel's stamps would rather not start than get lesser ones.
Result<void> check_stamps(const Plan& plan, const Ring& ring) {
    const StampAbility& ability = ring.stamp_ability();
    const bool is_asked_for =
        plan.stamps == StampPolicy::kernel || plan.stamps == StampPolicy::hardware;
    if (!is_asked_for || (ability.has_rx && ability.tx != TxStampWay::none)) return {};
    return fail(ExitCode::permission,
                std::string("this kernel gives no ") + (ability.has_rx ? "transmit" : "receive") +
                    " stamps: use stamps = \"auto\", which falls back to user space");
}

}  // namespace

CoreThread::CoreThread(const Plan& plan, std::span<const ListenerPlan> listeners,
                       const Clock& clock, CoreOptions options)
    : plan_(plan),
      listeners_(listeners),
      clock_(clock),
      options_(std::move(options)),
      cpu_(plan.cores[options_.core_index].cpu),
      turn_(plan.precision == Precision::spin ? turn_spinning : turn_sleeping),
      commands_(command_capacity) {}

CoreThread::~CoreThread() {
    LATMON_ASSERT(!thread_.joinable());
}

Result<void> CoreThread::launch() {
    std::promise<Result<void>> ready;
    std::future<Result<void>> outcome = ready.get_future();
    thread_ =
        std::thread([this, promise = std::move(ready)]() mutable { run(std::move(promise)); });
    Result<void> result = outcome.get();
    if (!result) thread_.join();
    return result;
}

void CoreThread::release(Instant origin) {
    origin_ = origin;
    is_released_ = true;
    start_barrier_.count_down();
    has_started_.wait();
}

bool CoreThread::send(const CoreCommand& command) {
    const bool is_queued = commands_.try_push(command);
    if (is_queued) ++sent_;
    ring_->wake();
    return is_queued;
}

void CoreThread::quit() {
    if (!thread_.joinable()) return;
    if (!is_released_) {  // Something else went wrong at start: it must not run at all.
        is_abandoned_ = true;
        start_barrier_.count_down();
        thread_.join();
        return;
    }
    while (!send({.kind = CoreCommand::Kind::quit})) {
        std::this_thread::yield();  // The core empties the queue at every turn.
    }
    thread_.join();
}

// -- On the core-thread -------------------------------------------------------------------------

void CoreThread::run(std::promise<Result<void>> ready) {
    Result<void> result = set_up();
    const bool is_set_up = result.has_value();
    ready.set_value(std::move(result));
    if (!is_set_up) return;
    start_barrier_.wait();
    if (is_abandoned_) return;
    // Beyond this point nothing allocates.
    core_->start(origin_);
    has_started_.count_down();
    loop();
}

Result<void> CoreThread::set_up() {
    const CorePlan& core_plan = plan_.cores[options_.core_index];
    name_thread("lm-core-" + std::to_string(options_.core_index));
    if (!pin_thread(core_plan.cpu)) {
        log::warning("core " + std::to_string(options_.core_index) + " cannot be pinned to CPU " +
                     std::to_string(core_plan.cpu) + ": probes may be sent later than need be");
    }
    sockets_max_ =
        sockets_needed(core_plan, listeners_.size()) + spare_sockets + options_.spare_sockets;
    Result<std::unique_ptr<UringRing>> ring =
        UringRing::open({.sockets_max = static_cast<std::uint32_t>(sockets_max_)});
    if (!ring) return std::unexpected(ring.error());
    ring_ = std::move(*ring);
    if (Result<void> stamps = check_stamps(plan_, *ring_); !stamps) return stamps;
    core_ = std::make_unique<Core>(plan_, options_, *ring_, clock_);
    // Listeners first: a node may probe itself.
    if (Result<void> listening = core_->open_listeners(listeners_); !listening) return listening;
    core_->open_paths();
    return {};
}

void CoreThread::loop() noexcept {
    bool is_stopping = false;
    bool has_more = false;
    std::uint64_t applied = 0;
    while (!core_->has_quit()) {
        const Duration patience = is_stopping ? turn_spinning : turn_;
        core_->turn(clock_.now() + (has_more ? Duration{} : patience));
        // One at a time: a command may open sockets, and replies must not wait for many of those.
        std::array<CoreCommand, 1> command;
        if (commands_.pop_batch(command) > 0) {
            is_stopping |= command[0].kind == CoreCommand::Kind::stop_sending ||
                           command[0].kind == CoreCommand::Kind::quit;
            core_->apply(command[0]);
            applied_.store(++applied, std::memory_order_release);
            has_more = true;
        } else {
            has_more = false;
        }
        if (is_stopping && core_->is_idle()) is_idle_.store(true, std::memory_order_release);
    }
}

}  // namespace latmon
