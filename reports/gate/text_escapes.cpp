#include "reports/gate/text_escapes.hpp"

#include <fmt/format.h>

#include <string_view>

namespace strata {

namespace {

// Each character that stands in `special`, as %XX.
std::string percent_encoded(const std::string& text, std::string_view special) {
    std::string escaped;
    for (const char c : text)
        if (special.find(c) == std::string_view::npos)
            escaped += c;
        else
            escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    return escaped;
}

}  // namespace

std::string xml_escaped(const std::string& text) {
    std::string escaped;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        switch (c) {
            case '&': escaped += "&amp;"; break;
            case '<': escaped += "&lt;"; break;
            case '>': escaped += "&gt;"; break;
            case '"': escaped += "&quot;"; break;
            case '\n': escaped += "&#10;"; break;
            case '\t': escaped += "&#9;"; break;
            default: escaped += byte < 0x20 || byte == 0x7f ? '?' : c;
        }
    }
    return escaped;
}

std::string markdown_escaped(const std::string& text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '\n' || c == '\r') {
            escaped += ' ';
            continue;
        }
        if (std::string_view("\\|`*_[]<>").find(c) != std::string_view::npos) escaped += '\\';
        escaped += c;
    }
    return escaped;
}

std::string workflow_escaped(const std::string& text) { return percent_encoded(text, "%\r\n"); }
std::string workflow_property_escaped(const std::string& text) { return percent_encoded(text, "%\r\n:,"); }

}  // namespace strata
