// SPDX-License-Identifier: Apache-2.0
//
// Where losses fell, against an oracle that gives thousands of probes random fates and knows them
// all. The link delays by a constant, so that nothing is reordered: then the sums are exact.
#include "unit/probe/ledger_bench.hpp"

#include <doctest/doctest.h>
#include <array>
#include <functional>
#include <map>
#include <random>

namespace latmon {
namespace {

enum class Fate : std::uint8_t {
    answered,
    forward,
    reverse,
    local_tx,
    local_rx,
    refused,
    late,
    copied,
    count
};

// A link of constant delay, on which each probe has a fate of its own.
class Oracle {
public:
    Oracle(std::uint64_t seed_value, bool has_copies) : random_(seed_value), copies_(has_copies) {}

    void run(std::int64_t probes) {
        std::int64_t time = 0;
        for (std::int64_t sent = 0; sent < probes; ++sent, time += 10) {
            if (left_-- <= 0) choose();
            const Fate fate = sent + 60 < probes ? fate_ : Fate::answered;
            at(time, [this, fate, time] { send(fate, time); });
        }
        while (!events_.empty()) {
            const auto first = events_.begin();
            const std::function<void()> action = first->second;
            events_.erase(first);
            action();
        }
    }

    LedgerBench bench;
    std::array<std::uint32_t, static_cast<std::size_t>(Fate::count)> fates{};
    std::uint32_t late_after_told = 0;

    [[nodiscard]] std::uint32_t of(Fate fate) const {
        return fates[static_cast<std::size_t>(fate)];
    }

private:
    static constexpr std::int64_t one_way = 25;
    static constexpr std::int64_t timeout = 200;

    void at(std::int64_t time, std::function<void()> action) {
        events_.emplace(time, std::move(action));  // Of two at one time the first planned is first.
    }

    // Runs of one fate, mostly answers: so that gaps are long, short, mixed and overlapping.
    void choose() {
        std::uniform_int_distribution<int> kind(0, static_cast<int>(Fate::count) - 1);
        const bool is_good = random_() % 2 == 0;
        fate_ = is_good ? Fate::answered : static_cast<Fate>(kind(random_));
        if (fate_ == Fate::copied && !copies_) fate_ = Fate::late;
        left_ = static_cast<int>(random_() % (random_() % 5 == 0 ? 30 : 3));
    }

    void send(Fate fate, std::int64_t time) {
        ++fates[static_cast<std::size_t>(fate)];
        const std::uint32_t sequence = bench.send();
        if (fate == Fate::refused) {
            bench.refuse(sequence);
            return;
        }
        at(time + timeout, [this, sequence] {
            if (bench.flights.find(sequence)->state == Flight::State::outstanding) {
                bench.lose(sequence);
            }
        });
        if (fate == Fate::local_tx) return;
        at(time + 1, [this, sequence] { bench.stamp(sequence); });
        if (fate == Fate::forward) return;
        at(time + one_way, [=, this] { arrive(sequence, fate, time + one_way); });
        if (fate != Fate::copied) return;
        at(time + one_way + 2, [=, this] { arrive(sequence, fate, time + one_way + 2); });
    }

    void arrive(std::uint32_t sequence, Fate fate, std::int64_t now) {
        const std::uint32_t number = counted_++;
        if (fate == Fate::reverse) return;
        const std::int64_t late_by = fate == Fate::late ? timeout + 31 : 0;
        at(now + one_way + late_by, [=, this] { come_home(sequence, number, fate); });
    }

    void come_home(std::uint32_t sequence, std::uint32_t number, Fate fate) {
        if (fate == Fate::local_rx) {
            ++drops_;
            return;
        }
        const Flight& flight = *bench.flights.find(sequence);
        if (flight.state == Flight::State::outstanding) {
            bench.answer(sequence, number, drops_);
            return;
        }
        if (flight.state == Flight::State::lost && flight.is_reported) ++late_after_told;
        bench.come_back(sequence, number);
    }

    std::mt19937_64 random_;
    bool copies_;
    std::multimap<std::int64_t, std::function<void()>> events_;
    Fate fate_ = Fate::answered;
    int left_ = 0;
    std::uint32_t counted_ = 0;
    std::uint32_t drops_ = 0;
};

void check_sums(std::uint64_t seed_value, bool has_copies) {
    CAPTURE(seed_value);
    Oracle oracle(seed_value, has_copies);
    oracle.run(4'000);
    const LedgerBench& bench = oracle.bench;
    CHECK(bench.count(LossAddress::forward) == oracle.of(Fate::forward));
    CHECK(bench.count(LossAddress::reverse) == oracle.of(Fate::reverse) + oracle.late_after_told);
    CHECK(bench.count(LossAddress::local_tx) == oracle.of(Fate::local_tx));
    CHECK(bench.count(LossAddress::local_rx) == oracle.of(Fate::local_rx));
    CHECK(bench.count(LossAddress::unknown) == 0);
    CHECK(bench.slow + oracle.late_after_told == oracle.of(Fate::late));
    CHECK(bench.slow > 0);
    CHECK(oracle.late_after_told > 0);
}

}  // namespace

TEST_CASE("loss_ledger: the sums by address are the truth, whatever happens to probes in order") {
    for (std::uint64_t seed_value = 1; seed_value <= 50; ++seed_value)
        check_sums(seed_value, false);
}

TEST_CASE("loss_ledger: the sums are the truth when probes come there twice, too") {
    for (std::uint64_t seed_value = 1; seed_value <= 50; ++seed_value)
        check_sums(seed_value, true);
}

}  // namespace latmon
