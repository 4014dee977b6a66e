// SPDX-License-Identifier: Apache-2.0
//
// The plugin cli, loaded from its .so and fed through a queue: what comes out at the other end, and
// what it does when nothing can come out any more.
#include "abi/samples.hpp"
#include "abi/windows.hpp"
#include "support/scratch_directory.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <pty.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>

namespace latmon::test {
namespace {

ExporterConfig cli(const std::string& file, const std::string& format = "") {
    ExporterConfig config = exporter_config("cli");
    set(config, "file", file);
    if (!format.empty()) set(config, "format", format);
    return config;
}

const std::string ancestors_line =
    R"({"metric": "tcp.wan.rtt", "points": [[1768219134587069267, 282072]], )"
    R"("tags": ["source:here", "target:fra-1"]})"
    "\n";

TEST_CASE("cli: json is the default, one object per line") {
    const ScratchDirectory directory;
    const std::string file = directory.file("out");
    CHECK(export_all(cli(file), {exchange(udp_id), node(7)}).exported == 2);
    CHECK(read_text(file) ==
          R"({"v":1,"kind":"exchange","status":"ok","protocol":"udp","source":"here",)"
          R"("target":"fra-1","tags":["isp:local","city:Z\u00fcrich"],"series_id":0,"core":0,)"
          R"("time_ns":1768219134587069267,"packet_bytes":0,"rtt_ns":250000,"rtt_user_ns":282072,)"
          R"("blame":[]})"
          "\n"
          R"({"v":1,"kind":"node","name":"samples_dropped","source":"here","series_id":4,)"
          R"("core":0,"time_ns":9,"value":7})"
          "\n");
}

TEST_CASE("cli: a file is appended to") {
    const ScratchDirectory directory;
    write_text(directory.file("out"), "before\n");
    CHECK(export_all(cli(directory.file("out"), "legacy"), {exchange(tcp_id)}).exported == 1);
    CHECK(read_text(directory.file("out")) == "before\n" + ancestors_line);
}

TEST_CASE("cli: legacy and, under [metrics], json are the ancestor's octets") {
    const ScratchDirectory directory;
    ExporterConfig compatible = cli(directory.file("out"), "json");
    compatible.is_compatible = true;
    CHECK(export_all(compatible, {exchange(tcp_id), node(7)}).exported == 2);
    CHECK(read_text(directory.file("out")) == ancestors_line);
}

TEST_CASE("cli: more than its buffer holds is written whole") {
    const ScratchDirectory directory;
    const std::vector<Sample> samples(2'000, exchange(tcp_id));
    CHECK(export_all(cli(directory.file("out"), "legacy"), samples).exported == 2'000);
    std::string expected;
    for (int count = 0; count < 2'000; ++count) {
        expected += ancestors_line;
    }
    CHECK((read_text(directory.file("out")) == expected));
}

TEST_CASE("cli: a file for people holds one table, the newest") {
    const ScratchDirectory directory;
    const std::string file = directory.file("table");
    write_text(file, "old\n");
    CHECK(export_all(cli(file, "human"), {exchange(udp_id), exchange(tcp_id)}).exported == 2);
    const std::string text = read_text(file);
    CHECK(text.starts_with("latmon at here"));
    CHECK(text.find("\nudp   fra-1 ") != std::string::npos);
    CHECK(text.find("\ntcp   fra-1 ") != std::string::npos);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(std::ranges::count(text, '\n') == 5);
    CHECK_FALSE(std::filesystem::exists(file + ".new"));
}

TEST_CASE("cli: a terminal that is named is drawn in place, of the windows asked for") {
    int terminal = -1;
    int ours = -1;
    char name[64] = {};
    REQUIRE(::openpty(&ours, &terminal, name, nullptr, nullptr) == 0);
    REQUIRE(::setenv("TERM", "xterm", 1) == 0);
    ExporterConfig config = cli(name, "human");
    set(config, "interval", 0.1);
    config.window_lengths = window_1s_bit;
    const SeriesTable series = series_table();
    const std::vector<std::string> plugin_path{PLUGIN_DIR};
    Result<std::unique_ptr<Exporter>> exporter =
        Exporter::open(config, "test.toml", plugin_path, series, 1);
    REQUIRE(exporter);
    REQUIRE((*exporter)->windows() != nullptr);
    (*exporter)->windows()->emit(full_window(udp_id));
    (*exporter)->start({});
    REQUIRE((*exporter)->drain_and_stop(Duration::from_s(60)));
    exporter->reset();
    char text[4096] = {};
    const ssize_t got = ::read(ours, text, sizeof(text) - 1);
    REQUIRE(got > 0);
    CHECK(std::string(text).starts_with("\x1b[H\x1b[2Jlatmon at here"));
    CHECK(std::string(text).find("OBJECTIVE") != std::string::npos);
    ::close(terminal);
    ::close(ours);
}

TEST_CASE("cli: windows are lines of JSON if they are asked for, else made for who looks on") {
    const ScratchDirectory directory;
    const SeriesTable series = series_table();
    const std::vector<std::string> plugin_path{PLUGIN_DIR};
    for (const bool is_asked : {false, true}) {
        const std::string file = directory.file(is_asked ? "asked" : "usual");
        ExporterConfig config = cli(file);
        if (is_asked) config.window_lengths = window_1s_bit;
        Result<std::unique_ptr<Exporter>> exporter =
            Exporter::open(config, "test.toml", plugin_path, series, 1);
        REQUIRE(exporter);
        const bool has_windows = is_asked || ::isatty(STDOUT_FILENO) == 1;
        REQUIRE(((*exporter)->windows() != nullptr) == has_windows);
        if (has_windows) (*exporter)->windows()->emit(full_window(udp_id));
        (*exporter)->start({});
        REQUIRE((*exporter)->drain_and_stop(Duration::from_s(60)));
        CHECK(((*exporter)->accounts().windows.exported == 1) == has_windows);
        exporter->reset();
        const std::string text = read_text(file);
        CHECK(text.starts_with(R"({"v":1,"kind":"window","of":"exchange",)") == is_asked);
        CHECK(text.empty() != is_asked);
    }
}

TEST_CASE("cli: when the reader has gone samples are rejected, and latmon lives on") {
    const ScratchDirectory directory;
    const std::string fifo = directory.file("fifo");
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK);
    REQUIRE(reader >= 0);
    ::signal(SIGPIPE, SIG_DFL);  // As a daemon that has not thought of it.
    const SeriesTable series = series_table();
    const ExporterConfig config = cli(fifo, "legacy");
    const std::vector<std::string> plugin_path{PLUGIN_DIR};
    Result<std::unique_ptr<Exporter>> exporter =
        Exporter::open(config, "test.toml", plugin_path, series, 1);
    REQUIRE(exporter);
    ::close(reader);
    // Each batch fills the buffer and is written out at once.
    for (int count = 0; count < 3 * 1'024; ++count) {
        (*exporter)->queue(0).emit(exchange(tcp_id));
    }
    (*exporter)->start({});
    REQUIRE((*exporter)->drain_and_stop(Duration::from_s(60)));
    CHECK((*exporter)->accounts().samples.rejected == 3 * 1'024);
}

TEST_CASE("cli: when the reader has gone the last table does not kill the main-thread") {
    const ScratchDirectory directory;
    const std::string fifo = directory.file("fifo");
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK);
    REQUIRE(reader >= 0);
    ::signal(SIGPIPE, SIG_DFL);
    ExporterConfig config = cli(fifo, "human");
    set(config, "interval", 3600.0);
    const SeriesTable series = series_table();
    const std::vector<std::string> plugin_path{PLUGIN_DIR};
    Result<std::unique_ptr<Exporter>> exporter =
        Exporter::open(config, "test.toml", plugin_path, series, 1);
    REQUIRE(exporter);
    // Two batches: the first is drawn at once, the second is left for the end.
    for (std::uint32_t count = 0; count < 2 * limits::export_batch_samples; ++count) {
        (*exporter)->queue(0).emit(exchange(tcp_id));
    }
    (*exporter)->start({});
    REQUIRE((*exporter)->drain_and_stop(Duration::from_s(60)));
    ::close(reader);
    exporter->reset();
    sigset_t pending;
    REQUIRE(::sigpending(&pending) == 0);
    CHECK(::sigismember(&pending, SIGPIPE) == 0);
}

TEST_CASE("cli: a full disk rejects the batch") {
    const std::vector<Sample> samples(1'024, exchange(tcp_id));
    const QueueAccounts accounts = export_all(cli("/dev/full", "legacy"), samples);
    CHECK(accounts.rejected == 1'024);
}

TEST_CASE("cli: a format that it does not know is refused, and so is a file it cannot make") {
    const SeriesTable series;
    const std::vector<std::string> plugin_path{PLUGIN_DIR};
    const auto unknown = Exporter::open(cli("", "pretty"), "test.toml", plugin_path, series, 1);
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().text.find("write json, legacy or human") != std::string::npos);
    ExporterConfig sorted = cli("", "human");
    set<std::string>(sorted, "sort", "best");
    CHECK(refusal(sorted).find("write config or worst") != std::string::npos);
    for (const char* const format : {"json", "human"}) {
        const auto nowhere =
            Exporter::open(cli("/no/such/folder/out", format), "test.toml", plugin_path, series, 1);
        REQUIRE_FALSE(nowhere);
        CHECK(nowhere.error().text.find("/no/such/folder/out") != std::string::npos);
    }
}

}  // namespace
}  // namespace latmon::test
