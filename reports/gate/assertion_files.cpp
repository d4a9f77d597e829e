#include "reports/gate/assertion_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <regex>

#include "reports/gate/text_escapes.hpp"

namespace strata {

namespace {

std::string property(const std::string& name, const std::string& value) {
    return fmt::format("        <property name=\"{}\" value=\"{}\"/>\n", xml_escaped(name), xml_escaped(value));
}

std::string shortest(const std::optional<double>& value) { return value ? fmt::format("{}", *value) : "unknown"; }

std::string properties_of(const CheckedAssertion& one) {
    std::string text = property("metric", one.assertion.metric);
    text += property("measured", shortest(one.measured));
    text += property("limit", fmt::format("{} {}", one.assertion.comparison, one.assertion.bound));
    text += property("margin", shortest(one.margin()));
    if (const auto share = one.relative_margin())
        text += property("margin_percent", fmt::format("{:.3g}", 100 * *share));
    if (one.measured) text += property("provenance", one.shares);
    text += property("engine", one.engine);
    for (const auto& [path, value] : one.settings) text += property("setting." + path, value);
    return text;
}

// "is 24.1, 4.1 beyond the limit (20.5 %)".
std::string distance(const CheckedAssertion& one) {
    if (!one.measured) return one.reason;
    const auto share = one.relative_margin();
    return fmt::format("is {:.6g}, {:.4g} {}{}", *one.measured, std::abs(*one.margin()),
                       one.holds() ? "within the limit" : "beyond the limit",
                       share ? fmt::format(" ({:.1f} %)", 100 * std::abs(*share)) : "");
}

std::string outcome(const CheckedAssertion& one) {
    const std::string message = xml_escaped(distance(one));
    if (one.status == PointStatus::infeasible) return fmt::format("      <skipped message=\"{}\"/>\n", message);
    if (!one.measured) return fmt::format("      <error message=\"{}\" type=\"failed\"/>\n", message);
    if (one.holds()) return {};
    return fmt::format(
        "      <failure message=\"{}\" type=\"assertion\">{}</failure>\n", message,
        xml_escaped(fmt::format("{}: {} {}; from {}", one.place, one.assertion.text, distance(one), one.shares)));
}

std::string testcase(const CheckedAssertion& one, const std::string& scenario) {
    std::string place;
    if (const auto at = line_of_file(one.place))
        place = fmt::format(" file=\"{}\" line=\"{}\"", xml_escaped(at->file), at->line);
    return fmt::format(
        "    <testcase classname=\"{}\" name=\"{}\"{}>\n      <properties>\n{}      </properties>\n{}"
        "    </testcase>\n",
        xml_escaped(scenario), xml_escaped(fmt::format("{} [{}]", one.assertion.text, one.point())), place,
        properties_of(one), outcome(one));
}

struct Counts {
    std::size_t failures = 0, errors = 0, skipped = 0;
};

Counts counts_of(const std::vector<CheckedAssertion>& checked) {
    Counts counts;
    for (const CheckedAssertion& one : checked) {
        counts.skipped += one.status == PointStatus::infeasible;
        counts.errors += one.status != PointStatus::infeasible && !one.measured;
        counts.failures += one.measured && !one.holds();
    }
    return counts;
}

}  // namespace

std::string junit_xml(const std::vector<CheckedAssertion>& checked, const std::string& scenario,
                      const std::string& command) {
    const Counts counts = counts_of(checked);
    const std::string totals = fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"", checked.size(),
                                           counts.failures, counts.errors, counts.skipped);
    std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    text += fmt::format("<testsuites name=\"strata\" {}>\n", totals);
    text += fmt::format("  <testsuite name=\"{}\" {}>\n", xml_escaped(scenario), totals);
    text += fmt::format("    <properties>\n{}    </properties>\n", property("command", command));
    for (const CheckedAssertion& one : checked) text += testcase(one, scenario);
    return text + "  </testsuite>\n</testsuites>\n";
}

std::string assertions_markdown(const std::vector<CheckedAssertion>& checked, const std::string& scenario) {
    const auto held = std::count_if(checked.begin(), checked.end(), [](const auto& one) { return one.holds(); });
    std::string text =
        fmt::format("### {}: {} of {} assertions hold\n", markdown_escaped(scenario), held, checked.size());
    if (checked.empty()) return text;
    text += "\n| | assertion | point | measured | limit | margin | from |\n|---|---|---|---:|---:|---:|---|\n";
    for (const CheckedAssertion& one : checked) {
        const auto share = one.relative_margin();
        const std::string margin = !one.margin() ? ""
                                   : share       ? fmt::format("{:+.1f} %", 100 * *share)
                                                 : fmt::format("{:+.4g}", *one.margin());
        text += fmt::format("| {} | `{}` | {} | {} | {} {:g} | {} | {} |\n",
                            one.holds()     ? "ok"
                            : !one.measured ? std::string(to_string(one.status))
                                            : "**FAILS**",
                            one.assertion.text, markdown_escaped(one.point()),
                            one.measured ? fmt::format("{:.6g}", *one.measured) : "", one.assertion.comparison,
                            one.assertion.bound, margin, markdown_escaped(one.measured ? one.shares : one.reason));
    }
    return text;
}

std::string github_annotations(const std::vector<CheckedAssertion>& checked) {
    std::string text;
    for (const CheckedAssertion& one : checked) {
        if (one.holds() || one.status == PointStatus::infeasible) continue;
        const auto at = line_of_file(one.place);
        const std::string place =
            at ? fmt::format(" file={},line={},col={}", workflow_property_escaped(at->file), at->line, at->column) : "";
        text += fmt::format(
            "::error{}::{}\n", place,
            workflow_escaped(fmt::format("{} fails [{}]: {}", one.assertion.text, one.point(), distance(one))));
    }
    return text;
}

std::optional<LineOfFile> line_of_file(const std::string& place) {
    static const std::regex form(R"((.+):(\d+):(\d+))");
    std::smatch match;
    if (!std::regex_match(place, match, form)) return std::nullopt;
    return LineOfFile{match[1], match[2], match[3]};
}

}  // namespace strata
