// What the study of small models is without libtorch: its text, the sizes of its networks, its files.
#include "app/train/study.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "app/train/corpus.hpp"
#include "hwmodels/input_error.hpp"
#include "sim/quality/allocation_points.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

constexpr std::size_t kBytes = 200000;

std::string text_of(const std::string& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::string> lines_of_file(const std::string& file) {
    std::istringstream stream(text_of(file));
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

TEST(Corpus, is_the_same_for_a_seed_and_another_for_each_stream) {
    const Corpus one({}), same({}), other({.seed = 2});
    EXPECT_EQ(one.text(7, 1000).bytes, same.text(7, 1000).bytes);
    EXPECT_NE(one.text(7, 1000).bytes, one.text(8, 1000).bytes);
    EXPECT_NE(one.text(7, 1000).bytes, other.text(7, 1000).bytes);
}

// How many different bytes follow the same `before` ones, at bytes of this kind: the most over all contexts.
std::size_t most_answers(const Text& text, ByteKind kind, std::size_t before) {
    std::map<std::string, std::set<std::uint8_t>> answers;
    for (std::size_t i = before; i < text.bytes.size(); ++i)
        if (text.kinds[i] == kind)
            answers[std::string(text.bytes.begin() + std::ptrdiff_t(i - before),
                                text.bytes.begin() + std::ptrdiff_t(i))]
                .insert(text.bytes[i]);
    std::size_t most = 0;
    for (const auto& [context, found] : answers) most = std::max(most, found.size());
    return most;
}

TEST(Corpus, three_bytes_determine_a_fact_and_not_a_transition) {
    const Text text = Corpus({}).text(0, kBytes);
    EXPECT_EQ(most_answers(text, ByteKind::fact, 3), 1u);
    EXPECT_GT(most_answers(text, ByteKind::fact, 2), 1u);
    EXPECT_GT(most_answers(text, ByteKind::rule, 3), 4u);
}

// In a sentence "# k : s i s i s" the machine, the state and the input say what comes: both streams agree.
TEST(Corpus, machine_state_and_input_determine_a_transition) {
    const Corpus corpus({});
    std::map<std::array<std::uint8_t, 3>, std::set<std::uint8_t>> next;
    for (const std::uint64_t stream : {0u, 1u}) {
        const Text text = corpus.text(stream, kBytes);
        std::uint8_t machine = 0;
        for (std::size_t i = 2; i < text.bytes.size(); ++i) {
            if (text.bytes[i - 1] == 2) machine = text.bytes[i];
            if (text.kinds[i] == ByteKind::rule)
                next[{machine, text.bytes[i - 2], text.bytes[i - 1]}].insert(text.bytes[i]);
        }
    }
    EXPECT_GT(next.size(), 1000u);  // of 16 machines x 8 states x 8 inputs
    for (const auto& [asked, answers] : next) EXPECT_EQ(answers.size(), 1u);
}

TEST(Corpus, refuses_more_than_its_words_can_say) {
    EXPECT_THROW(Corpus({.facts = 1000000}), InputError);
    EXPECT_THROW(Corpus({.machines = 33}), InputError);
}

TEST(TrainingPoint, rho_keeps_parameters_and_flops_and_moves_what_is_sparse) {
    for (const Budget& budget : shipped_budgets()) {
        const NetworkShape pure = shape_of(budget, 1, ResidualKind::plain);
        EXPECT_EQ(pure.rows, 0);
        for (const double rho : {0.9, 0.8, 0.7, 0.6, 0.5, 0.4}) {
            const NetworkShape shape = shape_of(budget, rho, ResidualKind::plain);
            EXPECT_NEAR(shape.total_parameters() / pure.total_parameters(), 1, 0.01) << budget.name << rho;
            EXPECT_NEAR(shape.active_parameters() / pure.active_parameters(), 1, 0.01) << budget.name << rho;
            EXPECT_NEAR(shape.training_flops_per_token() / pure.training_flops_per_token(), 1, 0.01);
            EXPECT_NEAR(shape.sparse_in_table(), 1 - rho, 0.01) << budget.name << rho;
        }
    }
}

// 2 x hidden 64: attention 4 x 4096, 44 routers of 65, shared 3 x 64 x 32, four experts of 3 x 64 x 16, twice; the rest
// is the shared expert's widening, at most what a gate of 2 x 64 x 64 values takes.
TEST(TrainingPoint, active_parameters_are_what_a_token_meets) {
    const NetworkShape shape = shape_of(budget_named("small"), 1, ResidualKind::plain);
    const double met = 2 * (4 * 4096 + 44 * 65 + 3 * 64 * 32 + 4 * 3 * 64 * 16);
    EXPECT_NEAR(shape.active_parameters(), met + 3 * 64 * shape.widened, 1e-9);
    EXPECT_GT(shape.widened, 0);
    EXPECT_LE(3 * 64 * shape.widened, 2 * 64 * 64);
}

TEST(TrainingPoint, the_study_is_seven_rho_at_two_budgets_and_three_more) {
    const std::vector<TrainingPoint> points = study_points({});
    EXPECT_EQ(points.size(), 17u);
    std::set<std::string> keys;
    for (const TrainingPoint& point : points) keys.insert(point.key());
    EXPECT_EQ(keys.size(), 17u);
    EXPECT_EQ(points.back().optimiser, OptimiserKind::muon);
    EXPECT_EQ(study_points({.budgets = {"small"}, .rhos = {0.5}, .seeds = {1, 2}}).size(), 2u);
    EXPECT_THROW(study_points({.optimisers = {"sgd"}}), InputError);
    EXPECT_THROW(study_points({.budgets = {"huge"}}), InputError);
}

// A trainer whose loss is rho, and that can be told to die at a point.
Trainer pretending(int& trained, int dies_at = -1) {
    return [&trained, dies_at](const TrainingPoint& point, const std::function<void(int)>& after_step) {
        if (trained == dies_at) throw std::runtime_error("killed");
        ++trained;
        after_step(point.budget.steps);
        Trained result{.loss = point.rho};
        result.curve = {{1, 5, 2}, {point.budget.steps, point.rho, 1.5}};
        return result;
    };
}

const StudyOrigin kOrigin{.commit = "abc", .machine = "made up"};

TEST(TrainStudy, goes_on_where_it_was_killed_and_ends_with_the_same_points) {
    const ScratchFolder folder;
    const std::vector<TrainingPoint> points = study_points({.budgets = {"smoke"}});
    std::ostringstream progress;
    int trained = 0;
    EXPECT_THROW(run_study(points, folder / "p.csv", pretending(trained, 3), kOrigin, progress), std::runtime_error);
    EXPECT_EQ(lines_of_file(folder / "p.csv").size(), 4u);  // the head and three points
    const StudyOutcome rest = run_study(points, folder / "p.csv", pretending(trained), kOrigin, progress);
    EXPECT_EQ(rest.trained, 4);
    EXPECT_EQ(rest.kept, 3);
    EXPECT_EQ(trained, 7);  // none twice

    int at_once = 0;
    run_study(points, folder / "q.csv", pretending(at_once), kOrigin, progress);
    const auto losses = [](const std::string& file) {
        std::vector<std::string> of;
        for (const std::string& line : lines_of_file(file)) of.push_back(line.substr(0, line.find(",0.0000")));
        return of;
    };
    EXPECT_EQ(losses(folder / "p.csv"), losses(folder / "q.csv"));
    EXPECT_EQ(lines_of_file(folder / "p_curves.csv"), lines_of_file(folder / "q_curves.csv"));
    EXPECT_EQ(lines_of_file(folder / "p_curves.csv").size(), 1u + 7 * 2);
}

TEST(TrainStudy, drops_the_curve_of_a_point_that_has_no_row) {
    const ScratchFolder folder;
    const std::vector<TrainingPoint> points = study_points({.budgets = {"smoke"}, .rhos = {1, 0.8}});
    std::ostringstream progress;
    int trained = 0;
    run_study(points, folder / "p.csv", pretending(trained), kOrigin, progress);
    std::vector<std::string> lines = lines_of_file(folder / "p.csv");
    folder.write("p.csv", lines[0] + "\n" + lines[1] + "\n");  // as if killed between the two files
    run_study(points, folder / "p.csv", pretending(trained), kOrigin, progress);
    EXPECT_EQ(lines_of_file(folder / "p_curves.csv").size(), 1u + 2 * 2);
}

TEST(TrainStudy, tells_how_much_is_left) {
    const ScratchFolder folder;
    std::ostringstream progress;
    int trained = 0;
    run_study(study_points({.budgets = {"smoke"}, .rhos = {1, 0.8}}), folder / "p.csv", pretending(trained), kOrigin,
              progress);
    EXPECT_NE(progress.str().find("[1/2] smoke,1,plain,adamw,1,40: step 40 of 40"), std::string::npos)
        << progress.str();
    EXPECT_NE(progress.str().find("min left"), std::string::npos);
}

TEST(TrainStudy, refuses_a_file_of_another_kind) {
    const ScratchFolder folder;
    folder.write("p.csv", "rho,loss\n1,2\n");
    std::ostringstream progress;
    int trained = 0;
    EXPECT_THROW(run_study(study_points({}), folder / "p.csv", pretending(trained), kOrigin, progress), InputError);
    EXPECT_EQ(lines_of_file(folder / "p.csv").size(), 2u);  // untouched
}

TEST(TrainStudy, smoke_trains_two_points_with_where_they_come_from) {
    if (!std::filesystem::exists(std::string(STRATA_BINARY_DIR) + "/strata-train"))
        GTEST_SKIP() << "no libtorch when this was built";
    const ScratchFolder folder;
    const std::string file = folder / "p.csv", said = folder / "err";
    const int status = std::system(
        fmt::format("'{}/strata' train-study --quiet --smoke --out '{}' 2>'{}'", STRATA_BINARY_DIR, file, said)
            .c_str());
    ASSERT_EQ(WEXITSTATUS(status), 0);
    EXPECT_TRUE(lines_of_file(said).empty());
    const std::vector<AllocationPoint> points = read_allocation_points(file);
    ASSERT_EQ(points.size(), 2u);
    EXPECT_EQ(points[1].budget, "smoke");
    EXPECT_EQ(points[1].rho, 0.8);
    EXPECT_GT(points[1].loss, 1);
    EXPECT_NE(lines_of_file(file)[1].find("one thread"), std::string::npos);
    EXPECT_GT(lines_of_file(curves_file_of(file)).size(), 10u);
}

// A copy of the program, away from strata-train.
TEST(TrainStudy, says_what_to_install_where_there_is_no_libtorch) {
    const ScratchFolder folder;
    std::filesystem::copy_file(std::string(STRATA_BINARY_DIR) + "/strata", folder / "strata");
    const int status = std::system(
        fmt::format("'{0}/strata' train-study --smoke --out '{0}/p.csv' 2>'{0}/err'", folder.path()).c_str());
    EXPECT_EQ(WEXITSTATUS(status), 2);
    EXPECT_NE(text_of(folder / "err").find("Install libtorch-dev"), std::string::npos) << text_of(folder / "err");
}

}  // namespace
}  // namespace strata
