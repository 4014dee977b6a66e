// SPDX-License-Identifier: Apache-2.0
//
// See landing_page.hpp. Every text in it is escaped: names come from files, titles from plugins.
#include "admin/landing_page.hpp"

#include "admin/http_message.hpp"

#include <fmt/format.h>

namespace latmon {

std::string landing_page(std::string_view version, std::string_view node_name,
                         const std::vector<AdminPage>& pages) {
    std::string rows;
    for (const AdminPage& page : pages) {
        rows += fmt::format("<tr><td><a href=\"{0}\">{0}</a></td><td>{1}</td></tr>\n",
                            html_escape(page.path), html_escape(page.title));
    }
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n<title>latmon: {0}</title>\n"
        "<style>body{{font:16px/1.5 sans-serif;margin:2em auto;max-width:44em;padding:0 1em}}"
        "td{{padding:.1em 1.5em .1em 0}}</style></head>\n"
        "<body><h1>latmon</h1>\n<p>Node <b>{0}</b>, version {1}</p>\n<table>\n{2}</table>\n"
        "</body></html>\n",
        html_escape(node_name), html_escape(version), rows);
}

}  // namespace latmon
