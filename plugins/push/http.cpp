// SPDX-License-Identifier: Apache-2.0
//
// libcurl's multi interface with a single transfer in it, because its wait can be woken from
// another thread, and curl_easy_perform()'s cannot: latmon stops when its operator says so, not up
// to a second later.
//
// Plugins are loaded side by side and share one libcurl. curl_global_init() is thread-safe in 7.84
// and later, counts its callers, and is called once by each plugin; nobody calls
// curl_global_cleanup(), because nobody knows who else is still at it.
#include "push/http.hpp"

#include "push/gzip.hpp"
#include "push/retry.hpp"

#include <curl/curl.h>
#include <algorithm>
#include <array>
#include <ctime>
#include <limits>
#include <mutex>
#include <new>
#include <utility>

namespace latmon::plugins::push {
namespace {

constexpr std::size_t response_octets_max = 64ULL * 1024;
constexpr std::size_t response_headers_max = 100;

// A connection that was idle for longer is not used again: servers close theirs after 3 s and more,
// and a request that crosses such a close on its way is lost time.
constexpr long idle_s_max = 2;

// libcurl has timers of its own inside of this; it is only the longest time between two looks at
// our deadline.
constexpr std::int64_t poll_ms_max = 1'000;

struct HeaderList {
    HeaderList() = default;
    ~HeaderList() { ::curl_slist_free_all(list); }
    HeaderList(const HeaderList&) = delete;
    HeaderList& operator=(const HeaderList&) = delete;
    void add(const std::string& line) {
        curl_slist* const longer = ::curl_slist_append(list, line.c_str());
        if (longer == nullptr) throw std::bad_alloc();
        list = longer;
    }
    curl_slist* list = nullptr;
};

char lower(char letter) noexcept {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter | 0x20) : letter;
}

bool names(std::string_view line, std::string_view name) noexcept {
    return line.size() > name.size() && line[name.size()] == ':' &&
           std::equal(name.begin(), name.end(), line.begin(),
                      [](char left, char right) { return left == lower(right); });
}

// What a transfer has brought so far.
struct Answer {
    Response response;
    bool has_begun = false;  // At least a status line.
    bool is_capped = false;  // We broke off: the body is longer than anybody wants to read.
};

void take_header(Answer& answer, std::string_view line) {
    while (line.ends_with('\n') || line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    if (line.starts_with("HTTP/")) {  // After "100 Continue", or of a proxy, comes another.
        answer.response.headers.clear();
        answer.response.body.clear();
        answer.has_begun = true;
        return;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    if (answer.response.headers.size() >= response_headers_max) return;
    std::string header(line);
    std::transform(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(colon),
                   header.begin(), lower);
    answer.response.headers.push_back(std::move(header));
}

// Called by libcurl, which is C: nothing may be thrown. Another number than `count` ends it.
std::size_t on_header(char* data, std::size_t, std::size_t count, void* to) noexcept {
    try {
        take_header(*static_cast<Answer*>(to), {data, count});
        return count;
    } catch (...) {
        return 0;
    }
}

std::size_t on_body(char* data, std::size_t, std::size_t count, void* to) noexcept {
    Answer& answer = *static_cast<Answer*>(to);
    try {
        const std::size_t room = response_octets_max - answer.response.body.size();
        answer.response.body.append(data, std::min(count, room));
        answer.is_capped = count > room;
        return answer.is_capped ? 0 : count;
    } catch (...) {
        return 0;
    }
}

template <typename Value>
void set(CURL* easy, CURLoption option, Value value) noexcept {
    // What can fail here is an option that this libcurl was built without.
    static_cast<void>(::curl_easy_setopt(easy, option, value));
}

void set_text(CURL* easy, CURLoption option, const std::string& value) noexcept {
    if (!value.empty()) set(easy, option, value.c_str());
}

void set_method(CURL* easy, const Request& request, const std::string& body) {
    if (request.method == "GET") {
        set(easy, CURLOPT_HTTPGET, 1L);
    } else if (request.method == "POST" || !body.empty()) {
        set(easy, CURLOPT_POST, 1L);
        set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
        set(easy, CURLOPT_POSTFIELDS, body.data());  // Not copied.
    }
    if (request.method != "GET" && request.method != "POST") {
        set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
}

void add_headers(HeaderList& headers, const Request& request, bool is_packed) {
    bool has_type = false;
    for (const std::string& header : request.headers) {
        headers.add(header);
        has_type = has_type || names(header, "content-type");
    }
    if (is_packed) headers.add("Content-Encoding: gzip");
    // What libcurl would add unasked: a form's type, and a wait for permission to send.
    if (!has_type) headers.add("Content-Type:");
    headers.add("Expect:");
}

std::optional<std::int64_t> retry_after_of(const Response& response) noexcept {
    constexpr std::string_view name = "retry-after";
    for (const std::string& header : response.headers) {
        if (!names(header, name)) continue;
        timespec now{};
        ::clock_gettime(CLOCK_REALTIME, &now);
        return parse_retry_after(std::string_view(header).substr(name.size() + 1), now.tv_sec);
    }
    return std::nullopt;
}

void initialize_once() {
    static std::once_flag once;
    std::call_once(once, [] { static_cast<void>(::curl_global_init(CURL_GLOBAL_DEFAULT)); });
}

}  // namespace

struct HttpClient::Handles {
    Handles() : easy(::curl_easy_init()), multi(::curl_multi_init()) {
        if (easy == nullptr || multi == nullptr) throw std::bad_alloc();
    }
    ~Handles() {
        if (easy != nullptr) ::curl_easy_cleanup(easy);
        if (multi != nullptr) ::curl_multi_cleanup(multi);
    }
    Handles(const Handles&) = delete;
    Handles& operator=(const Handles&) = delete;

    // The deadline is looked at between any two waits.
    CURLcode perform(const std::atomic<std::int64_t>& interrupt_ns) const noexcept;

    CURL* easy;
    CURLM* multi;
    std::string user_agent;
    std::array<char, CURL_ERROR_SIZE> error{};
};

CURLcode HttpClient::Handles::perform(
    const std::atomic<std::int64_t>& interrupt_ns) const noexcept {
    if (::curl_multi_add_handle(multi, easy) != CURLM_OK) return CURLE_OUT_OF_MEMORY;
    CURLcode outcome = CURLE_OK;
    for (int running = 1; running > 0;) {
        if (::curl_multi_perform(multi, &running) != CURLM_OK) {
            outcome = CURLE_FAILED_INIT;
            break;
        }
        if (running == 0) break;
        const std::int64_t left_ns = interrupt_ns.load(std::memory_order_acquire) - monotonic_ns();
        if (left_ns <= 0) {
            outcome = CURLE_ABORTED_BY_CALLBACK;
            break;
        }
        const std::int64_t wait_ms = std::min(left_ns / 1'000'000 + 1, poll_ms_max);
        ::curl_multi_poll(multi, nullptr, 0, static_cast<int>(wait_ms), nullptr);
    }
    int left = 0;
    for (const CURLMsg* said = ::curl_multi_info_read(multi, &left); said != nullptr;
         said = ::curl_multi_info_read(multi, &left)) {
        if (said->msg == CURLMSG_DONE) outcome = said->data.result;
    }
    ::curl_multi_remove_handle(multi, easy);
    return outcome;
}

HttpClient::HttpClient(const Settings& settings, const char* version)
    : settings_(settings), interrupt_ns_(std::numeric_limits<std::int64_t>::max()) {
    initialize_once();
    handles_ = std::make_unique<Handles>();
    handles_->user_agent = std::string("latmon/") + version;
}

HttpClient::~HttpClient() = default;

void HttpClient::interrupt_at(std::int64_t monotonic_ns) noexcept {
    interrupt_ns_.store(monotonic_ns, std::memory_order_release);
    ::curl_multi_wakeup(handles_->multi);
}

Response HttpClient::send(const Request& request) {
    retry_after_s_.reset();
    bool is_stale = false;
    Response response = send_once(request, is_stale);
    if (is_stale && request.is_repeatable) response = send_once(request, is_stale);
    retry_after_s_ = response.retry_after_s;
    return response;
}

// All options anew for each request; connections and TLS sessions outlive curl_easy_reset().
Response HttpClient::send_once(const Request& request, bool& is_stale) {
    CURL* const easy = handles_->easy;
    Answer answer;
    std::string packed;
    if (settings_.gzip && request.may_compress && !request.body.empty()) {
        packed = gzip(request.body);
    }
    HeaderList headers;
    add_headers(headers, request, !packed.empty());

    ::curl_easy_reset(easy);
    handles_->error.front() = '\0';
    set(easy, CURLOPT_ERRORBUFFER, handles_->error.data());
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_QUICK_EXIT, 1L);  // Do not wait for a resolver that does not come back.
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(easy, CURLOPT_URL, request.url.c_str());
    set(easy, CURLOPT_USERAGENT, handles_->user_agent.c_str());
    set(easy, CURLOPT_HTTPHEADER, headers.list);
    set_method(easy, request, packed.empty() ? request.body : packed);
    set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(settings_.timeout.count()));
    set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings_.timeout.count()));
    set(easy, CURLOPT_MAXAGE_CONN, idle_s_max);
    // Over a connection that was used before, libcurl itself sends a request again if that breaks
    // before the answer (curl_easy_setopt(3), CURLOPT_FRESH_CONNECT, is the way around).
    set(easy, CURLOPT_FRESH_CONNECT, request.is_repeatable ? 0L : 1L);
    set(easy, CURLOPT_FORBID_REUSE, request.is_repeatable ? 0L : 1L);
    set(easy, CURLOPT_HEADERFUNCTION, on_header);
    set(easy, CURLOPT_HEADERDATA, static_cast<void*>(&answer));
    set(easy, CURLOPT_WRITEFUNCTION, on_body);
    set(easy, CURLOPT_WRITEDATA, static_cast<void*>(&answer));
    set_text(easy, CURLOPT_CAINFO, settings_.ca_file);
    set_text(easy, CURLOPT_SSLCERT, settings_.cert_file);
    set_text(easy, CURLOPT_SSLKEY, settings_.key_file);
    set(easy, CURLOPT_SSL_VERIFYPEER, settings_.insecure ? 0L : 1L);
    set(easy, CURLOPT_SSL_VERIFYHOST, settings_.insecure ? 0L : 2L);
    set_text(easy, CURLOPT_PROXY, settings_.proxy);

    ++requests_;
    const CURLcode outcome = handles_->perform(interrupt_ns_);
    long status = 0;
    long connections = 0;
    long octets_sent = 0;
    ::curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    ::curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connections);
    ::curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &octets_sent);
    Response& response = answer.response;
    if (outcome == CURLE_OK || (answer.is_capped && outcome == CURLE_WRITE_ERROR)) {
        response.status = static_cast<int>(status);
        response.retry_after_s = retry_after_of(response);
        return std::move(response);
    }
    is_stale = !is_stale && !answer.has_begun && connections == 0 &&
               (outcome == CURLE_SEND_ERROR || outcome == CURLE_RECV_ERROR ||
                outcome == CURLE_GOT_NOTHING);
    Response none;
    none.is_unsent = octets_sent == 0;
    none.is_timeout = outcome == CURLE_OPERATION_TIMEDOUT;
    none.error =
        handles_->error.front() == '\0' ? ::curl_easy_strerror(outcome) : handles_->error.data();
    if (outcome == CURLE_ABORTED_BY_CALLBACK) none.error = "time was up when latmon stopped";
    return none;
}

std::int64_t monotonic_ns() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace latmon::plugins::push
