// strata-train: the study of `strata train-study`, a program of its own because libtorch takes half a second to load
// and may not be there. Its one argument is a line of JSON: {"out": FILE, "budgets": [..], "residuals": [..],
// "optimisers": [..], "rhos": [..], "seeds": [..], "commit": "..", "machine": "..", "quiet": false}.
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/train/study.hpp"
#include "app/train/training.hpp"
#include "hwmodels/input_error.hpp"
#include "sim/workload/keep_memory.hpp"

namespace {

int run(const nlohmann::json& asked) {
    if (asked.at("quiet")) std::clog.rdbuf(nullptr);
    const strata::StudyDials dials{.budgets = asked.at("budgets"),
                                   .residuals = asked.at("residuals"),
                                   .optimisers = asked.at("optimisers"),
                                   .rhos = asked.at("rhos"),
                                   .seeds = asked.at("seeds")};
    const strata::Corpus corpus({});
    const auto trainer = [&corpus](const strata::TrainingPoint& point, const std::function<void(int)>& after_step) {
        return strata::train(point, corpus, after_step);
    };
    const strata::StudyOutcome outcome =
        strata::run_study(strata::study_points(dials), asked.at("out"), trainer,
                          {.commit = asked.at("commit"), .machine = asked.at("machine")}, std::clog);
    std::clog << outcome.trained << " points trained, " << outcome.kept << " were there; wrote "
              << asked.at("out").get<std::string>() << '\n';
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    strata::keep_freed_memory();
    try {
        if (argc != 2) throw strata::InputError("strata-train is started by 'strata train-study'");
        return run(nlohmann::json::parse(argv[1]));
    } catch (const strata::InputError& error) {
        std::cerr << "strata: " << error.what() << '\n';
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "strata: failed inside: " << error.what() << '\n';
        return 3;
    }
}
