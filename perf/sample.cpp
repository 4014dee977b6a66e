// SPDX-License-Identifier: Apache-2.0
//
// What does it cost to make a sample and to queue it? From a reply in hand to the sample in its
// queue, through the book of exchanges that probes use, over a ring on which nothing happens; with
// a clock that only counts, which is the cost of our own code, and with the kernel's. Floors beside
// it: a clock reading, a copy of a sample, an increment. One thread; nothing here is the kernel's
// network.
#include "packets.hpp"
#include "probe/exchanges.hpp"
#include "support/idle_ring.hpp"

#include <benchmark/benchmark.h>
#include <ctime>
#include <memory>
#include <vector>

namespace latmon {
namespace {

constexpr std::uint32_t batch_count = 512;
constexpr std::uint32_t queue_capacity = 2048;
constexpr std::uint32_t timers_max = 16;

// Every reading is a nanosecond later than the one before.
class CountingClock final : public Clock {
public:
    Instant now() const noexcept override { return Instant{++ns_}; }
    RawInstant raw_now() const noexcept override { return RawInstant{++ns_}; }
    WallTime wall_now() const noexcept override { return WallTime{++ns_ + wall_offset_ns}; }

private:
    static constexpr std::int64_t wall_offset_ns = 1'767'225'600'000'000'000;
    mutable std::int64_t ns_ = 1'000'000'000;
};

// A probe's book, its packets, and somebody who answers them.
class Desk {
public:
    Desk(const Clock& clock, bool has_tlvs)
        : plan_(plan_of_probe(has_tlvs)),
          clock_(clock),
          reactor_(ring_, clock, Pacing::Mode::power, timers_max),
          wall_watch_(clock),
          packet_(plan_, zeros_, nullptr) {
        exchanges_.on_path_opened();
    }

    // Sends a batch, and has its replies made.
    void send_batch() {
        drain();
        for (std::uint32_t index = 0; index < batch_count; ++index) {
            const SenderPacket packet = exchanges_.open(clock_.now());
            packet_.write(packet, {});
            exchanges_.on_sent();
            exchanges_.on_tx_stamp(
                packet.sequence,
                {.key = packet.sequence, .source = StampSource::kernel, .time = clock_.wall_now()});
            replies_[index] = make_reply(packet_, packet, answered_++, octets_[index]);
        }
        reactor_.turn(Instant{});
        wall_watch_.look();
    }

    // The part that is measured: each reply becomes a sample in the queue.
    void take_batch() {
        ReplyPath path;
        path.ttl = 64;
        path.has_traffic_class = true;
        path.has_kernel_time = true;
        path.kernel_time = clock_.wall_now();
        for (const std::span<const std::byte> reply : replies_) {
            path.packet_bytes = static_cast<std::uint32_t>(reply.size());
            exchanges_.on_reply(reply, path);
        }
    }

    // The last answer of a batch waits for a follow-up of its T3, which the next batch brings.
    [[nodiscard]] bool is_balanced() const {
        return answered_ - queue_.made.read() <= 1 && queue_.dropped.read() == 0;
    }

private:
    void drain() {
        while (queue_.queue.pop_batch(drained_) > 0)
            continue;
    }

    const ProbePlan plan_;
    const Clock& clock_;
    test::IdleRing ring_{{.tx = TxStampWay::ring, .has_keys = true, .has_rx = true}};
    Reactor reactor_;
    SampleQueue queue_{queue_capacity, kind_bit(LATMON_KIND_EXCHANGE)};
    SampleOutlet outlet_{{&queue_}};
    WallWatch wall_watch_;
    std::vector<std::byte> zeros_ = std::vector<std::byte>(limits::probe_bytes_max);
    CoreContext context_{
        .reactor = reactor_, .outlet = outlet_, .wall_watch = wall_watch_, .zeros = zeros_};
    ProbeCounters counters_;
    std::vector<Flight> flights_ = std::vector<Flight>(plan_.in_flight_slots);
    Exchanges exchanges_{context_, plan_, counters_, flights_, nullptr};
    PacketTemplate packet_;
    std::uint32_t answered_ = 0;
    std::vector<ReplyOctets> octets_ = std::vector<ReplyOctets>(batch_count);
    std::vector<std::span<const std::byte>> replies_ =
        std::vector<std::span<const std::byte>>(batch_count);
    std::vector<Sample> drained_ = std::vector<Sample>(batch_count);
};

// The CPU time of this thread alone: what else runs on this CPU is not ours.
double thread_seconds() noexcept {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// One iteration is a batch; a sample's time is 1 / items_per_second.
void measure_batches(benchmark::State& state, const Clock& clock, bool has_tlvs) {
    const std::unique_ptr<Desk> desk = std::make_unique<Desk>(clock, has_tlvs);
    for (auto _ : state) {
        desk->send_batch();
        const double begin_s = thread_seconds();
        desk->take_batch();
        state.SetIterationTime(thread_seconds() - begin_s);
    }
    state.SetItemsProcessed(state.iterations() * batch_count);
    if (!desk->is_balanced()) state.SkipWithError("replies without a sample");
}

void reply_to_queue(benchmark::State& state) {
    const CountingClock clock;
    measure_batches(state, clock, state.range(0) != 0);
}
BENCHMARK(reply_to_queue)->ArgName("tlvs")->Arg(0)->Arg(1)->UseManualTime();

void reply_to_queue_os_clock(benchmark::State& state) {
    const OsClock clock;
    measure_batches(state, clock, state.range(0) != 0);
}
BENCHMARK(reply_to_queue_os_clock)->ArgName("tlvs")->Arg(0)->Arg(1)->UseManualTime();

// An answer of which all is known that is to be known, at this place in a series of them.
Answer known_answer(std::int64_t index) {
    const std::int64_t raw_ns = 1'000'000'000 + index * 1'000'000;
    const Duration offset{1'767'225'600'000'000'000};
    const WallTime wall{raw_ns + offset.ns};
    Answer answer;
    answer.sample = Sample{};
    answer.sample.kind = LATMON_KIND_EXCHANGE;
    answer.sample.status = LATMON_STATUS_OK;
    answer.sent.raw = RawInstant{raw_ns};
    answer.sent.wall_minus_raw = offset;
    answer.sent.has_kernel = true;
    answer.sent.kernel = wall + Duration{2'000};
    answer.received.raw = RawInstant{raw_ns + 30'000};
    answer.received.wall_minus_raw = offset;
    answer.received.has_kernel = true;
    answer.received.kernel = wall + Duration{20'000};
    answer.peer.t2 = wall + Duration{4'000 + index % 500};
    answer.peer.t3 = wall + Duration{15'000};
    answer.peer.is_absolute = true;
    return answer;
}

// The second half of reply_to_queue: what the sample's figures are made of is at hand.
void make_and_queue(benchmark::State& state) {
    SampleQueue queue(queue_capacity, kind_bit(LATMON_KIND_EXCHANGE));
    SampleOutlet outlet({&queue});
    PathClock path_clock(600'000);
    std::vector<Sample> drained(queue_capacity);
    std::vector<Answer> answers(batch_count);
    std::int64_t made = 0;
    for (auto _ : state) {
        for (Answer& answer : answers)
            answer = known_answer(++made);
        const double begin_s = thread_seconds();
        for (Answer& answer : answers) {
            complete(answer, path_clock);
            outlet.emit(answer.sample);
        }
        state.SetIterationTime(thread_seconds() - begin_s);
        benchmark::DoNotOptimize(queue.queue.pop_batch(drained));
    }
    state.SetItemsProcessed(state.iterations() * batch_count);
}
BENCHMARK(make_and_queue)->UseManualTime();

// The last step alone, into a queue that no other CPU reads.
void emit_sample(benchmark::State& state) {
    SampleQueue queue(queue_capacity, kind_bit(LATMON_KIND_EXCHANGE));
    SampleOutlet outlet({&queue});
    std::vector<Sample> drained(queue_capacity);
    Sample sample{};
    sample.kind = LATMON_KIND_EXCHANGE;
    for (auto _ : state) {
        const double begin_s = thread_seconds();
        for (std::uint32_t count = 0; count < queue_capacity; ++count) {
            ++sample.sequence;
            outlet.emit(sample);
        }
        state.SetIterationTime(thread_seconds() - begin_s);
        benchmark::DoNotOptimize(queue.queue.pop_batch(drained));
    }
    state.SetItemsProcessed(state.iterations() * queue_capacity);
}
BENCHMARK(emit_sample)->UseManualTime();

void floor_copy(benchmark::State& state) {
    std::vector<Sample> slots(queue_capacity);
    Sample sample{};
    for (auto _ : state) {
        Sample& slot = slots[++sample.sequence % queue_capacity];
        slot = sample;
        benchmark::DoNotOptimize(slot);
    }
}
BENCHMARK(floor_copy);

void floor_clock(benchmark::State& state) {
    const OsClock clock;
    for (auto _ : state)
        benchmark::DoNotOptimize(clock.raw_now());
}
BENCHMARK(floor_clock);

void floor_increment(benchmark::State& state) {
    std::uint64_t count = 0;
    for (auto _ : state)
        benchmark::DoNotOptimize(++count);
}
BENCHMARK(floor_increment);

}  // namespace
}  // namespace latmon

BENCHMARK_MAIN();
