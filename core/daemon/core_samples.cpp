// SPDX-License-Identifier: Apache-2.0
//
// What a core tells of itself, once an interval; see core.hpp. On the core-thread; allocates
// nothing, and reads the accounts of its probes a few at a time.
#include "daemon/core.hpp"

#include "daemon/node_counters.hpp"

namespace latmon {

void Core::on_node_timer(Instant now) noexcept {
    if (!totals_.add_some(probes_)) {
        // Not before the ring was looked at and probes that are due were sent.
        reactor_.timers().arm(node_timer_, now + Duration{1});
        return;
    }
    emit_node_samples();
    totals_.begin();
    // The next one that is still to come: after a stall one reading is as good as many.
    const std::int64_t passed = (now - node_due_) / node_interval_;
    node_due_ = node_due_ + node_interval_ * (passed + 1);
    reactor_.timers().arm(node_timer_, node_due_);
}

void Core::emit_node_samples() noexcept {
    const CoreMoment now = moment();
    const IntervalFigures interval =
        figures_between(last_moment_, now, reactor_.lateness(), context_.dwell);
    last_moment_ = now;
    reactor_.clear_lateness();
    context_.dwell.clear();
    const NodeReading reading{.core = *this, .probes = totals_, .interval = interval};
    Sample sample{};
    sample.kind = LATMON_KIND_NODE;
    sample.status = LATMON_STATUS_OK;
    sample.core = context_.core_index;
    sample.valid = LATMON_HAS_VALUE;
    sample.time_ns = clock_.wall_now().ns;
    const std::uint32_t count = node_counter_count();
    for (std::uint32_t counter = 0; counter < count; ++counter) {
        const std::optional<std::int64_t> value = read_node_counter(reading, counter);
        if (!value) continue;
        sample.series_id = series_.node + counter;
        sample.value = *value;
        outlet_.emit(sample);
    }
    for (const NodeFigure& figure : figures_) {
        sample.series_id = figure.series;
        sample.value = static_cast<std::int64_t>(figure.value->load(std::memory_order_relaxed));
        outlet_.emit(sample);
    }
    emit_interface_counters(sample);
    emit_consumers(sample);
}

CoreMoment Core::moment() const noexcept {
    const CoreCounters& counters = context_.counters;
    const auto by = [](const auto& stamps, latmon_stamp_t stamp) noexcept {
        return stamps[static_cast<std::size_t>(stamp)].read();
    };
    const auto all = [](const auto& stamps) noexcept {
        std::uint64_t sum = 0;
        for (const PublishedCounter& stamp : stamps)
            sum += stamp.read();
        return sum;
    };
    const RingCounters& ring = ring_.counters();
    const TcpReflectorCounters& tcp = tcp_reflector_.counters();
    const std::uint64_t received = udp_reflector_.counters().received.read() +
                                   tcp.reflected.read() + tcp.reflected_ancestor.read();
    return {.at = clock_.now(),
            .cpu = clock_.thread_cpu(),
            .packets = totals_.sent() + received,
            .ring_calls = ring.submissions + ring.waits + ring.polls,
            .answered = all(counters.t1),
            .stamped_tx = by(counters.t1, LATMON_STAMP_HW) + by(counters.t1, LATMON_STAMP_KERNEL),
            .stamped_rx = by(counters.t4, LATMON_STAMP_HW) + by(counters.t4, LATMON_STAMP_KERNEL)};
}

// In the order of interface_series_names for each.
void Core::emit_interface_counters(Sample sample) noexcept {
    const std::span<const ProbeTotals::Stamped> stamped = totals_.by_interface();
    for (std::size_t index = 0; index < stamped.size(); ++index) {
        sample.series_id = interface_series_[index];
        sample.value = static_cast<std::int64_t>(stamped[index].tx);
        outlet_.emit(sample);
        ++sample.series_id;
        sample.value = static_cast<std::int64_t>(stamped[index].rx);
        outlet_.emit(sample);
    }
}

// What is told of each exporter, and of its plugin's own.
void Core::emit_consumers(Sample sample) noexcept {
    for (const SampleConsumer& consumer : consumers_) {
        if (consumer.series == no_series) continue;
        for (std::uint32_t index = 0; index < queue_counter_names.size(); ++index) {
            sample.series_id = consumer.series + index;
            sample.value = static_cast<std::int64_t>(
                (consumer.queue->*queue_counter_names[index].counter).read());
            outlet_.emit(sample);
        }
        const std::uint32_t own = consumer.counters == nullptr ? 0 : consumer.counters->count();
        for (std::uint32_t index = 0; index < own; ++index) {
            sample.series_id = consumer.counters->series_id(index);
            sample.value = static_cast<std::int64_t>(consumer.counters->value(index));
            outlet_.emit(sample);
        }
    }
}

}  // namespace latmon
