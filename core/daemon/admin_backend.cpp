// SPDX-License-Identifier: Apache-2.0
//
// See admin_backend.hpp.
#include "daemon/admin_backend.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/version.hpp"
#include "daemon/secret_file.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <utility>

namespace latmon {
namespace {

// Beside connections: listeners, epoll, eventfd, timerfd, files of a handler.
constexpr std::uint64_t fds_spare = 32;

// A token or password: one line, not empty, that fits into a header.
Result<SecretText> read_line(const std::string& path, std::string_view option) {
    Result<SecretText> secret = read_secret_file(
        path, {.what = "secret file", .option = option, .octets_max = limits::admin_secret_bytes});
    if (!secret) return secret;
    const std::string_view line = secret->line();
    const bool is_line = !line.empty() && std::none_of(line.begin(), line.end(), [](char letter) {
        return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
    });
    if (is_line) return secret;
    return fail(ExitCode::configuration,
                fmt::format("secret file {}: is empty, or more than one line of text; write one "
                            "line",
                            path));
}

Result<std::string> read_pem(const std::string& path, std::string_view option, mode_t forbidden) {
    const Result<SecretText> pem = read_secret_file(path, {.what = "file",
                                                           .option = option,
                                                           .octets_max = limits::admin_pem_bytes,
                                                           .forbidden = forbidden});
    if (!pem) return std::unexpected(pem.error());
    return std::string(pem->text());
}

// A key is often readable by a group that is there for that; a certificate by everybody.
Result<TlsMaterial> read_tls(const AdminConfig& config) {
    constexpr mode_t others_write = S_IWGRP | S_IWOTH;
    TlsMaterial material;
    Result<std::string> certificates = read_pem(config.tls_cert, "tls_cert", others_write);
    if (!certificates) return std::unexpected(certificates.error());
    material.certificates = std::move(*certificates);
    Result<std::string> key = read_pem(config.tls_key, "tls_key", others_write | S_IRWXO);
    if (!key) return std::unexpected(key.error());
    material.key = std::move(*key);
    if (config.tls_client_ca.empty()) return material;
    Result<std::string> client_ca = read_pem(config.tls_client_ca, "tls_client_ca", others_write);
    if (!client_ca) return std::unexpected(client_ca.error());
    material.client_ca = std::move(*client_ca);
    return material;
}

Result<AdminSecrets> read_secrets(const AdminConfig& config) {
    AdminSecrets secrets;
    if (!config.bearer_token_file.empty()) {
        const Result<SecretText> token = read_line(config.bearer_token_file, "bearer_token_file");
        if (!token) return std::unexpected(token.error());
        secrets.credentials.set_bearer(token->line());
    }
    if (!config.basic_user.empty()) {
        const Result<SecretText> password =
            read_line(config.basic_password_file, "basic_password_file");
        if (!password) return std::unexpected(password.error());
        secrets.credentials.set_basic(config.basic_user, password->line());
    }
    if (!config.tls_cert.empty()) {
        Result<TlsMaterial> tls = read_tls(config);
        if (!tls) return std::unexpected(tls.error());
        secrets.tls = std::move(*tls);
    }
    return secrets;
}

}  // namespace

Result<std::unique_ptr<DaemonAdmin>> DaemonAdmin::open(const AdminConfig& config,
                                                       std::string node_name) {
    std::unique_ptr<DaemonAdmin> admin(new DaemonAdmin(std::move(node_name)));
    DaemonAdmin* const self = admin.get();
    AdminOptions options;
    if (!config.listen.empty()) {
        Result<AdminSecrets> secrets = read_secrets(config);
        if (!secrets) return std::unexpected(secrets.error());
        options.credentials = secrets->credentials;
        options.http.tls = std::move(secrets->tls);
    }
    options.http.connections_max = config.connections_max;
    for (const AdminAddress& address : config.listen) {
        options.http.addresses.push_back({.endpoint = address.endpoint,
                                          .socket_path = address.socket_path,
                                          .is_required = config.is_listen_explicit});
    }
    if (config.can_probe) {
        Result<std::unique_ptr<AdminProbes>> probes = AdminProbes::open(config);
        if (!probes) return std::unexpected(probes.error());
        self->probes_ = std::move(*probes);
    }
    Result<std::unique_ptr<AdminServer>> server = AdminServer::open(
        options, self->make_backend(config),
        [self](const HttpRequest& request) { return self->ask_exporters(request); });
    if (!server) return std::unexpected(server.error());
    self->server_ = std::move(*server);
    self->routes_ =
        std::make_unique<PluginRoutes>(!self->server_->urls().empty(), self->server_->left_out());
    for (const std::string& url : self->server_->urls())
        log::info("admin: listening on " + url);
    return admin;
}

AdminBackend DaemonAdmin::make_backend(const AdminConfig& config) {
    AdminBackend backend;
    backend.version = version_text();
    backend.node_name = node_name_;
    backend.is_ready = [this] { return is_ready_.load(); };
    backend.reload = [this]() -> Result<void> {
        if (reload_) return reload_();
        return fail(ExitCode::failure, "there is no configuration file to read");
    };
    backend.targets = [this] { return targets_.read(clock_.wall_now()); };
    backend.series = [this](const SeriesQuestion& question) {
        return targets_.read_series(question);
    };
    backend.other_pages = [this] {
        std::vector<AdminPage> pages;
        for (PluginPage& page : routes_->pages())
            pages.push_back({std::move(page.path), std::move(page.title)});
        return pages;
    };
    if (config.can_probe) {
        backend.probe_modules = probes_->module_names();
        backend.probe = [this](ProbeOrder order, const std::function<void(ProbeOutcome)>& done) {
            probes_->probe(std::move(order), done);
        };
    }
    return backend;
}

std::optional<HttpAnswer> DaemonAdmin::ask_exporters(const HttpRequest& request) const {
    std::optional<PluginAnswer> answer = routes_->answer(
        request.path, PluginRequest{.headers = request.headers, .query = request.query});
    if (!answer) return std::nullopt;
    return HttpAnswer{.status = answer->status,
                      .headers = std::move(answer->headers),
                      .body = std::move(answer->body)};
}

std::uint64_t DaemonAdmin::fds_needed(const AdminConfig& config) noexcept {
    if (config.listen.empty()) return 0;
    return config.connections_max + fds_spare + AdminProbes::fds_needed(config);
}

void DaemonAdmin::start(std::span<const std::uint32_t> core_cpus) {
    if (server_->urls().empty()) return;
    if (probes_ != nullptr) probes_->start(core_cpus);
    set_ready(true);
    server_->start(core_cpus);
}

Result<void> DaemonAdmin::renew(const AdminConfig& config) {
    if (config.listen.empty()) return {};
    const Result<AdminSecrets> secrets = read_secrets(config);
    if (!secrets) return std::unexpected(secrets.error());
    return server_->renew(*secrets);
}

bool DaemonAdmin::stop(Duration grace) {
    set_ready(false);
    const bool have_probes_ended = probes_ == nullptr || probes_->stop(grace / 2);
    const bool have_handlers_ended = server_->stop(grace / 2);
    return have_probes_ended && have_handlers_ended;
}

}  // namespace latmon
