// SPDX-License-Identifier: Apache-2.0
//
// Records between the exporter-thread that makes them and the sender-thread that gets rid of them,
// bounded. The records of one block at a time are under way: they stay, first of all, until they
// are done. Not thread-safe: Depot guards it. What is counted here is counted in rows.
#pragma once

#include "push/backend.hpp"
#include "push/settings.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace latmon::plugins::push {

// The most that one block holds. A single record may be larger: then it is a block of its own.
struct BlockLimits {
    std::size_t records = SIZE_MAX;
    std::uint64_t rows = UINT64_MAX;
    std::uint64_t bytes = UINT64_MAX;

    // True if `record` does not fit behind what is there already. [any-thread]
    [[nodiscard]] bool exclude(std::size_t records_before, std::uint64_t rows_before,
                               std::uint64_t bytes_before, const Record& record) const noexcept {
        return records_before > 0 &&
               (records_before + 1 > records || rows_before + record.rows > rows ||
                bytes_before + record.payload.size() > bytes);
    }
};

// 32 hex digits, unique on earth as far as the kernel's random numbers go. [any-thread]
[[nodiscard]] std::string make_block_id();

class Backlog {
public:
    // What was counted since the start, in rows, and what is there now.
    struct Counts {
        std::uint64_t dropped = 0;     // There was no room for them.
        std::uint64_t superseded = 0;  // A newer state took their place.
        std::uint64_t recovered = 0;   // They were there at the start.
        std::uint64_t waiting = 0;     // With those under way.
        std::uint64_t waiting_bytes = 0;
        std::uint64_t torn = 0;     // Records that a crash cut short.
        std::uint64_t corrupt = 0;  // Records that something else spoiled.
    };

    virtual ~Backlog() = default;

    // Takes `record` or counts its rows as dropped: then false. May drop others to make room.
    [[nodiscard]] virtual bool push(Record record) = 0;

    // The block under way, which is made of the first that wait if there is none; no records if
    // nothing waits. Valid until the next call of shorten(), finish() or take().
    [[nodiscard]] virtual Block take(const BlockLimits& limits) = 0;

    // Puts the records of the block under way back but for the first `records`, which get a new id.
    // 1 <= records <= those under way.
    virtual void shorten(std::size_t records) = 0;

    // The block under way is done with, however it went.
    virtual void finish() = 0;

    // What has gone wrong with the place where records are kept; "" if nothing.
    [[nodiscard]] virtual std::string fault() const { return ""; }
    // True if what waits will be there when latmon starts again.
    [[nodiscard]] virtual bool is_lasting() const noexcept { return false; }

    [[nodiscard]] const Counts& counts() const noexcept { return counts_; }

protected:
    Counts counts_;
};

// In memory.
class MemoryBacklog final : public Backlog {
public:
    // `bytes`: of payloads, with a little for each record.
    MemoryBacklog(std::uint64_t bytes, Overflow overflow) : room_(bytes), overflow_(overflow) {}

    [[nodiscard]] bool push(Record record) override;
    [[nodiscard]] Block take(const BlockLimits& limits) override;
    void shorten(std::size_t records) override;
    void finish() override;

private:
    void drop_oldest();

    std::uint64_t room_;
    Overflow overflow_;
    std::deque<Record> waiting_;
    std::vector<Record> under_way_;
    std::string id_;
};

// In memory, the newest record alone: each is the whole state, and one that did not get through is
// not worth another attempt when there is a newer one.
class SnapshotBacklog final : public Backlog {
public:
    [[nodiscard]] bool push(Record record) override;
    [[nodiscard]] Block take(const BlockLimits& limits) override;
    void shorten(std::size_t records) override;
    void finish() override;

private:
    void forget(std::vector<Record>& slot);

    // Empty or one.
    std::vector<Record> next_;
    std::vector<Record> under_way_;
    std::string id_;
};

}  // namespace latmon::plugins::push
