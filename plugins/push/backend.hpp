// SPDX-License-Identifier: Apache-2.0
//
// What differs between the servers that samples are pushed to. An exporter encodes rows into
// records on the exporter-thread (Pusher::append); its Backend makes requests of records on the
// sender-thread, and says what an answer means. All of Backend is used on the sender-thread alone.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace latmon::plugins::push {

// Rows that were taken at one go, in the exporter's own encoding, which must say all by itself: a
// record may come back out of a spool into another process, whose series ids mean something else.
struct Record {
    std::uint32_t rows = 0;
    std::string payload;
};

// What goes into one request: whole records, in the order made. After a failure the same block
// comes again, the same records and the same id, also after a crash if there is a spool.
struct Block {
    std::span<const Record> records;
    std::uint64_t rows = 0;
    std::string id;  // 32 hex digits, unique: a token for servers that drop what comes twice.
    // It comes out of a spool, and the process before us may have sent it.
    bool is_doubtful = false;
};

struct Request {
    std::string method = "POST";
    std::string url;                   // Without user and password: it stands in the log.
    std::vector<std::string> headers;  // "Name: value"; may hold secrets, never logged.
    std::string body;                  // Before compression.
    bool may_compress = true;
    // False: what it does twice, the server has twice. It gets a connection of its own, because a
    // kept one that breaks makes the library below us send again, whatever became of the first.
    bool is_repeatable = true;
};

struct Response {
    // 0: there was no answer; `error` says why. Else HTTP's status.
    int status = 0;
    std::string error;  // Of the transport, for the log: "connection refused".
    std::string body;   // Its first 64 KiB.
    bool is_timeout = false;
    bool is_unsent = false;  // No octet of the request left us: no connection came about.
    std::optional<std::int64_t> retry_after_s;  // Retry-After, either form; never negative.
    std::vector<std::string> headers;  // "name: value", the name in lower case; 100 at most.
};

// What became of a block.
enum class Verdict : std::uint8_t {
    done,    // The server has it.
    retry,   // It may work later: the same block again after a pause.
    split,   // Too large: again in two halves; a single record that is too large is dropped.
    drop,    // It never will: counted as rejected, said in the log, on to the next.
    refused  // Our credentials are wrong: as retry, with the longest pause, and a loud line.
};

// Asks the server, blocking, within the settings' timeout. Given to Backend::prepare().
class Client {
public:
    [[nodiscard]] virtual Response send(const Request& request) = 0;

protected:
    ~Client() = default;
};

class Backend {
public:
    virtual ~Backend() = default;

    // Called before the first block and again before a block that follows a failure: whatever must
    // be known of the server, such as a table's columns. `done`: go on. `retry` and `refused`: not
    // now, after a pause; nothing is lost meanwhile. `drop` is taken as `retry`. `reason` goes into
    // the log.
    [[nodiscard]] virtual Verdict prepare(Client& client, std::string& reason);  // done.

    // Called before a block is built that the server may have already: an earlier request's fate is
    // unknown, as may_have_taken() said or as the block says. nullopt: send it, or what build()
    // knows to be missing. `done`: the server has all of it. `retry` and `refused`: it cannot be
    // known now, and nothing is sent before it is. `split`: ask for less. By default nullopt.
    [[nodiscard]] virtual std::optional<Verdict> settle(Client& client, const Block& block,
                                                        std::string& reason);

    // The request that carries `block`. The same block gives the same octets, but for those that
    // settle() found to be there. An empty url means that nothing in the block is worth sending: it
    // counts as done.
    [[nodiscard]] virtual Request build(const Block& block) = 0;

    // What an answer means. `reason`, if set, goes into the log in place of status and body.
    // By default judge_status().
    [[nodiscard]] virtual Verdict judge(const Response& response, std::string& reason);

    // True if the server may have the block, or some of it, although judge() did not say `done`. By
    // default may_be_there().
    [[nodiscard]] virtual bool may_have_taken(const Response& response) const;

    // A last request when latmon stops and everything else was sent, such as to delete what was
    // pushed; nullopt: none.
    [[nodiscard]] virtual std::optional<Request> farewell();
};

// 2xx: done. No answer, 408, 425, 429, 5xx but 501 and 505: retry. 413: split. 401, 403, 407:
// refused. All others: drop (3xx too: redirects are not followed, because a POST would not survive
// them).
[[nodiscard]] Verdict judge_status(const Response& response) noexcept;

// No answer to a request that left us, or a 5xx: it may have been carried out.
[[nodiscard]] bool may_be_there(const Response& response) noexcept;

}  // namespace latmon::plugins::push
