// SPDX-License-Identifier: Apache-2.0
//
// See scrape.hpp.
#include "prometheus/scrape.hpp"

#include "prometheus/protobuf.hpp"
#include "prometheus/text_writer.hpp"
#include "push/gzip.hpp"

#include <memory>

namespace latmon::plugins::prometheus {
namespace {

class GzipSink final : public Sink {
public:
    explicit GzipSink(Sink& sink) : sink_(sink) {}

    void take(std::string_view octets) override { pass_on(octets, false); }
    [[nodiscard]] bool finish() {
        pass_on({}, true);
        return is_sound_;
    }

private:
    void pass_on(std::string_view octets, bool is_last) {
        packed_.clear();
        is_sound_ = is_sound_ && stream_.add(octets, is_last, packed_);
        sink_.take(packed_);
    }

    Sink& sink_;
    push::GzipStream stream_;
    std::string packed_;
    bool is_sound_ = true;
};

std::unique_ptr<Writer> writer_for(Exposition exposition, const Format& format, Sink& sink) {
    switch (exposition) {
        case Exposition::protobuf:
            return std::make_unique<ProtobufWriter>(format, sink);
        case Exposition::open_metrics:
            return std::make_unique<TextWriter>(format, sink, Dialect::open_metrics);
        case Exposition::text:
            break;
    }
    return std::make_unique<TextWriter>(format, sink, Dialect::prometheus);
}

}  // namespace

bool write_scrape(const Scrape& scrape, const Store::Snapshot& snapshot, const Content& content,
                  const Format& format, Sink& sink) {
    if (!scrape.is_packed) {
        write_families(*writer_for(scrape.choice.exposition, format, sink), snapshot, content);
        return true;
    }
    GzipSink packed(sink);
    write_families(*writer_for(scrape.choice.exposition, format, packed), snapshot, content);
    return packed.finish();
}

}  // namespace latmon::plugins::prometheus
