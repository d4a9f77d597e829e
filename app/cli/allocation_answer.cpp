#include "app/cli/allocation_answer.hpp"

#include <fmt/format.h>

#include <iostream>

#include "sim/quality/allocation_law.hpp"
#include "sim/quality/allocation_points.hpp"
#include "sim/quality/memory_law.hpp"

namespace strata {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const AllocationFit& fit, std::optional<double> rho) {
    Json json{{"budget", fit.budget()},
              {"lowest_rho", fit.lowest_rho()},
              {"minimum_inside", fit.has_minimum_inside()},
              {"depth", fit.depth()},
              {"root_mean_square_residual", fit.root_mean_square()},
              {"points", Json::array()}};
    for (const FittedPoint& point : fit.points())
        json["points"].push_back(
            {{"rho", point.rho}, {"loss", point.loss}, {"fitted", point.fitted}, {"residual", point.residual()}});
    if (!rho) return json;
    const std::optional<double> loss = fit.loss(*rho);
    json["asked"] = {{"rho", *rho}, {"loss", nullptr}, {"outside", !loss}};
    if (loss) json["asked"]["loss"] = *loss;
    return json;
}

Json published_json(const AllocationLaw& law, std::optional<double> rho) {
    Json json{{"measured_on", law.measured_on()},
              {"source", law.source()},
              {"optimum_from", law.optimum_from()},
              {"optimum_to", law.optimum_to()},
              {"points", Json::array()}};
    for (const LossAnchor& anchor : law.anchors())
        json["points"].push_back({{"rho", anchor.rho}, {"loss", anchor.loss}});
    if (!rho) return json;
    const auto loss = law.loss(*rho, law.measured_on());
    json["asked"] = {{"rho", *rho}, {"loss", nullptr}, {"outside", !loss}};
    if (loss) json["asked"]["loss"] = loss->loss;
    return json;
}

void print_asked(const Json& of) {
    if (!of.contains("asked")) return;
    const Json& asked = of.at("asked");
    const double rho = asked.at("rho").get<double>();
    if (asked.at("outside").get<bool>())
        std::cout << fmt::format("    rho {}: OUTSIDE of what was measured, nothing is said\n", rho);
    else
        std::cout << fmt::format("    rho {}: {:.4f} on the curve\n", rho, asked.at("loss").get<double>());
}

void print_fit(const Json& fit) {
    std::cout << fmt::format("  budget {}: {:>6} {:>9} {:>9} {:>9}\n", fit.at("budget").get<std::string>(), "rho",
                             "loss", "curve", "residual");
    for (const Json& point : fit.at("points"))
        std::cout << fmt::format("  {:>{}} {:>6.2f} {:>9.4f} {:>9.4f} {:>+9.4f}\n", "",
                                 fit.at("budget").get<std::string>().size() + 8, point.at("rho").get<double>(),
                                 point.at("loss").get<double>(), point.at("fitted").get<double>(),
                                 point.at("residual").get<double>());
    const double lowest = fit.at("lowest_rho").get<double>();
    std::cout << (fit.at("minimum_inside").get<bool>()
                      ? fmt::format("    a U: lowest at rho {:.2f}, {:.4f} below the lower end", lowest,
                                    fit.at("depth").get<double>())
                      : fmt::format("    no U: lowest at the end, rho {:.2f}; the optimum may lie beyond", lowest))
              << fmt::format("; residuals {:.4f} (root mean square)\n",
                             fit.at("root_mean_square_residual").get<double>());
    print_asked(fit);
}

}  // namespace

Json allocation_json(const std::string& points_file, std::optional<double> rho, const std::string& root) {
    const std::string shipped = root + "/sim/quality/train_study_points.csv";
    const bool own = !points_file.empty();
    Json json{{"published", published_json(AllocationLaw(root + "/sim/quality/allocation_anchors.yaml"), rho)},
              {"provenance", own ? "measured" : "measured (small scale)"},
              {"points_file", own ? points_file : "sim/quality/train_study_points.csv"},
              {"fits", Json::array()}};
    for (const AllocationFit& fit : allocation_fits(read_allocation_points(own ? points_file : shipped)))
        json["fits"].push_back(json_of(fit, rho));
    return json;
}

void print_allocation(const Json& allocation) {
    const Json& published = allocation.at("published");
    std::cout << "\nAllocation: loss against rho, the experts' share of the sparse parameters\n"
              << fmt::format("  published ({}; {}):\n   ", published.at("source").get<std::string>(),
                             published.at("measured_on").get<std::string>());
    for (const Json& point : published.at("points"))
        std::cout << fmt::format(" {:.2f}: {:.4f} ", point.at("rho").get<double>(), point.at("loss").get<double>());
    std::cout << fmt::format("  optimum {:.2f} to {:.2f}\n", published.at("optimum_from").get<double>(),
                             published.at("optimum_to").get<double>());
    print_asked(published);
    std::cout << fmt::format("  {}, {}:\n", allocation.at("provenance").get<std::string>(),
                             allocation.at("points_file").get<std::string>());
    for (const Json& fit : allocation.at("fits")) print_fit(fit);
}

Json memory_json(std::optional<double> slots, const std::string& root) {
    const MemoryLaw law(root + "/sim/quality/memory_anchors.yaml");
    Json json{{"measured_on", law.measured_on()},
              {"source", law.source()},
              {"per_doubling", law.per_doubling()},
              {"points", Json::array()}};
    for (const MemoryAnchor& anchor : law.anchors())
        json["points"].push_back({{"slots", anchor.slots}, {"loss", anchor.loss}});
    if (!slots) return json;
    const MemoryEstimate estimate = law.loss(*slots);
    json["asked"] = {{"slots", *slots},
                     {"loss", estimate.loss},
                     {"low", estimate.low},
                     {"high", estimate.high},
                     {"outside", estimate.outside}};
    return json;
}

void print_memory(const Json& memory) {
    std::cout << fmt::format("\nMore table rows and nothing else: {:+.4f} for each doubling of slots ({}; {})\n",
                             memory.at("per_doubling").get<double>(), memory.at("source").get<std::string>(),
                             memory.at("measured_on").get<std::string>());
    for (const Json& point : memory.at("points"))
        std::cout << fmt::format("  {:>12.0f} slots: {:.3f}, published\n", point.at("slots").get<double>(),
                                 point.at("loss").get<double>());
    if (!memory.contains("asked")) return;
    const Json& asked = memory.at("asked");
    std::cout << fmt::format(
        "  {:>12.0f} slots: {:.4f} ({:.4f} to {:.4f}), {}\n", asked.at("slots").get<double>(),
        asked.at("loss").get<double>(), asked.at("low").get<double>(), asked.at("high").get<double>(),
        asked.at("outside").get<bool>() ? "extrapolated: OUTSIDE of what was published" : "interpolated");
}

}  // namespace strata
