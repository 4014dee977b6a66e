// SPDX-License-Identifier: Apache-2.0
//
// The plugin json, loaded from its .so: where its lines go, and what it refuses. What a line says
// is json_test.cpp's, and that it fits the schema is every_sample.py's.
#include "abi/samples.hpp"
#include "abi/windows.hpp"
#include "support/scratch_directory.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <algorithm>
#include <filesystem>

namespace latmon::test {
namespace {

ExporterConfig json() {
    return exporter_config("json");
}

ExporterConfig json_with(const char* key, const std::string& value) {
    ExporterConfig config = json();
    set(config, key, value);
    return config;
}

// Somebody who listens on a Unix socket; datagrams and connections wait until they are read.
class Listener {
public:
    Listener(const std::string& path, int type) : fd_(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::ranges::copy(path, std::begin(address.sun_path));
        const sockaddr* const plain = reinterpret_cast<const sockaddr*>(&address);
        REQUIRE(::bind(fd_, plain, sizeof(address)) == 0);
        if (type == SOCK_STREAM) REQUIRE(::listen(fd_, 1) == 0);
    }
    ~Listener() { ::close(fd_); }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    [[nodiscard]] std::string datagram() const { return read_all(fd_, true); }
    [[nodiscard]] std::string stream() const {
        const int connection = ::accept(fd_, nullptr, nullptr);
        REQUIRE(connection >= 0);
        std::string text = read_all(connection, false);
        ::close(connection);
        return text;
    }

private:
    static std::string read_all(int fd, bool is_one_read) {
        std::string text;
        char octets[4096];
        for (;;) {
            const ssize_t got = ::recv(fd, octets, sizeof(octets), 0);
            if (got <= 0) return text;
            text.append(octets, static_cast<std::size_t>(got));
            if (is_one_read) return text;
        }
    }

    int fd_;
};

const std::string node_line =
    R"({"v":1,"kind":"node","name":"samples_dropped","source":"here","series_id":4,)"
    R"("core":0,"time_ns":9,"value":7})"
    "\n";

TEST_CASE("json exporter: a file gets a line per sample, and is not for everybody") {
    const ScratchDirectory folder;
    const std::string file = folder.file("out");
    CHECK(export_all(json_with("file", file), {node(7), node(7)}).exported == 2);
    CHECK(read_text(file) == node_line + node_line);
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    CHECK((status.st_mode & 0027U) == 0U);
}

TEST_CASE("json exporter: windows are lines if they are asked for, beside samples or without") {
    const ScratchDirectory folder;
    const SeriesTable series = series_table();
    const std::vector<std::string> plugin_path{PLUGIN_DIR};
    ExporterConfig config = json_with("file", folder.file("out"));
    CHECK(Exporter::open(config, "test.toml", plugin_path, series, 1).value()->windows() ==
          nullptr);
    config.window_lengths = window_1s_bit;
    Result<std::unique_ptr<Exporter>> exporter =
        Exporter::open(config, "test.toml", plugin_path, series, 1);
    REQUIRE(exporter);
    (*exporter)->queue(0).emit(node(7));
    (*exporter)->windows()->emit(full_window(udp_id));
    (*exporter)->start({});
    REQUIRE((*exporter)->drain_and_stop(Duration::from_s(60)));
    exporter->reset();
    const std::string text = read_text(folder.file("out"));
    CHECK(text.find(R"({"v":1,"kind":"window","of":"exchange","protocol":"udp",)") !=
          std::string::npos);
    CHECK(text.find(node_line) != std::string::npos);
}

TEST_CASE("json exporter: points in time as text") {
    const ScratchDirectory folder;
    ExporterConfig config = json_with("file", folder.file("out"));
    set(config, "timestamps", std::string("rfc3339"));
    CHECK(export_all(config, {node(7)}).exported == 1);
    CHECK(read_text(folder.file("out"))
              .find(R"("core":0,"time":"1970-01-01T00:00:00.000000009Z","value":7)") !=
          std::string::npos);
}

TEST_CASE("json exporter: files change between two lines, and no more are kept than asked for") {
    const ScratchDirectory folder;
    const std::string file = folder.file("out");
    ExporterConfig config = json_with("file", file);
    set(config, "rotate_bytes", std::int64_t{65'536});
    set(config, "rotate_keep", std::int64_t{2});
    const std::vector<Sample> samples(4'000, node(7));
    CHECK(export_all(config, samples).exported == 4'000);
    std::size_t files = 0;
    std::string line;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
        ++files;
        const std::string text = read_text(entry.path());
        const bool is_current = entry.path() == file;
        CHECK((is_current || text.size() >= 65'536));
        CHECK(text.size() < 2 * 65'536 + node_line.size());
        CHECK(text.size() % node_line.size() == 0);
        CHECK(std::ranges::count(text, '\n') ==
              static_cast<std::ptrdiff_t>(text.size() / node_line.size()));
    }
    CHECK(files == 3);
    CHECK(std::filesystem::exists(file + ".2"));
}

TEST_CASE("json exporter: a stream socket gets lines, a datagram socket one in each datagram") {
    const ScratchDirectory folder;
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
        const bool is_stream = type == SOCK_STREAM;
        const std::string path = folder.file(is_stream ? "stream" : "datagram");
        const Listener listener(path, type);
        ExporterConfig config = json_with("unix", path);
        if (!is_stream) set(config, "unix_type", std::string("datagram"));
        CHECK(export_all(config, {node(7), node(7)}).exported == 2);
        if (is_stream) {
            CHECK(listener.stream() == node_line + node_line);
        } else {
            CHECK(listener.datagram() == node_line);
            CHECK(listener.datagram() == node_line);
        }
    }
}

TEST_CASE("json exporter: while nobody listens samples are taken, and their lines lost") {
    const ScratchDirectory folder;
    const QueueAccounts accounts =
        export_all(json_with("unix", folder.file("nobody")), {node(7), node(8)});
    CHECK(accounts.exported == 2);
    CHECK(accounts.rejected == 0);
}

TEST_CASE("json exporter: what contradicts itself or is not known is refused, with the cure") {
    ExporterConfig both = json_with("file", "a");
    set(both, "unix", std::string("b"));
    CHECK(refusal(both).find("keep one of them") != std::string::npos);
    ExporterConfig pointless = json();
    set(pointless, "rotate_bytes", std::int64_t{1'000'000});
    CHECK(refusal(pointless).find("rotate_bytes needs a file") != std::string::npos);
    ExporterConfig small = json_with("file", "a");
    set(small, "rotate_bytes", std::int64_t{100});
    CHECK(refusal(small).find("at least 65536") != std::string::npos);
    CHECK(refusal(json_with("unix_type", "carrier")).find("write stream or datagram") !=
          std::string::npos);
    CHECK(refusal(json_with("timestamps", "iso")).find("write ns or rfc3339") != std::string::npos);
    CHECK(refusal(json_with("unix", std::string(200, 'x'))).find("107 octets at most") !=
          std::string::npos);
    CHECK(refusal(json_with("file", "/no/such/folder/out")).find("cannot be opened") !=
          std::string::npos);
}

}  // namespace
}  // namespace latmon::test
