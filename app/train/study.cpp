#include "app/train/study.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "app/measure/timing.hpp"
#include "hwmodels/input_error.hpp"
#include "reports/files.hpp"

namespace strata {

namespace {

namespace fs = std::filesystem;

constexpr const char* kPointColumns =
    "budget,rho,residual,optimiser,seed,steps,loss,standard_error,fact_loss,rule_loss,worst_load,"
    "total_parameters,active_parameters,table_share,tokens,training_flops,cpu_seconds,commit,when,machine";
constexpr const char* kCurveColumns =
    "budget,rho,residual,optimiser,seed,steps,step,tokens,training_flops,loss,worst_load";
constexpr int kKeyColumns = 6;

std::string key_of(const std::string& row) {
    std::size_t end = 0;
    for (int column = 0; column < kKeyColumns && end != std::string::npos; ++column)
        end = row.find(',', end + (column > 0));
    return row.substr(0, end);
}

// The rows of an earlier run; none where there is no file.
std::vector<std::string> rows_of(const std::string& file, const std::string& columns) {
    std::vector<std::string> rows;
    std::ifstream stream(file);
    std::string line;
    if (!stream) return rows;
    if (!std::getline(stream, line) || line != columns)
        throw InputError(file + ":1", "the columns of this study, or no file of that name", "'" + line + "'");
    while (std::getline(stream, line))
        if (!line.empty()) rows.push_back(line);
    return rows;
}

std::string text_of(const std::string& columns, const std::vector<std::string>& rows) {
    return fmt::format("{}\n{}{}", columns, fmt::join(rows, "\n"), rows.empty() ? "" : "\n");
}

std::string point_row(const TrainingPoint& point, const Trained& trained, const StudyOrigin& origin) {
    const NetworkShape shape = shape_of(point.budget, point.rho, point.residual);
    const int tokens = point.budget.steps * point.budget.sequences * point.budget.length;
    return fmt::format("{},{:.5f},{:.5f},{:.4f},{:.4f},{:.2f},{:.0f},{:.0f},{:.4f},{},{:.4g},{:.1f},{},{},{}",
                       point.key(), trained.loss, trained.standard_error, trained.fact_loss, trained.rule_loss,
                       trained.worst_load, shape.total_parameters(), shape.active_parameters(), shape.sparse_in_table(),
                       tokens, point.training_flops(), trained.cpu_seconds, origin.commit,
                       fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))), origin.machine);
}

std::vector<std::string> curve_rows(const TrainingPoint& point, const Trained& trained) {
    std::vector<std::string> rows;
    for (const CurvePoint& one : trained.curve)
        rows.push_back(fmt::format("{},{},{},{:.4g},{:.5f},{:.2f}", point.key(), one.step,
                                   one.step * point.budget.sequences * point.budget.length,
                                   point.training_flops() * one.step / point.budget.steps, one.loss, one.worst_load));
    return rows;
}

// Says where the study stands: often on a terminal that overwrites the line, else once a point.
class Progress {
public:
    Progress(std::ostream& out, const std::vector<TrainingPoint>& to_do) : out_(out), begin_(Clock::now()) {
        for (const TrainingPoint& point : to_do) flops_left_ += point.training_flops();
    }

    void step(const TrainingPoint& point, std::size_t number, std::size_t of, int step) {
        if (step % std::max(1, point.budget.steps / 10) != 0) return;
        const double done = flops_done_ + point.training_flops() * step / point.budget.steps;
        const double left = seconds_since(begin_) / done * (flops_left_ + flops_done_ - done);
        out_ << fmt::format("[{}/{}] {}: step {} of {}, {:.0f} min left in all\n", number, of, point.key(), step,
                            point.budget.steps, std::ceil(left / 60))
             << std::flush;
    }

    void finished(const TrainingPoint& point, const Trained& trained) {
        flops_done_ += point.training_flops();
        flops_left_ -= point.training_flops();
        out_ << fmt::format("{}: loss {:.4f} +- {:.4f}, {:.0f} s of one core\n", point.key(), trained.loss,
                            trained.standard_error, trained.cpu_seconds)
             << std::flush;
    }

private:
    std::ostream& out_;
    Clock::time_point begin_;
    double flops_done_ = 0, flops_left_ = 0;
};

}  // namespace

std::string curves_file_of(const std::string& points_file) {
    const fs::path file(points_file);
    return (file.parent_path() / fmt::format("{}_curves{}", file.stem().string(), file.extension().string())).string();
}

StudyOutcome run_study(const std::vector<TrainingPoint>& points, const std::string& points_file, const Trainer& trainer,
                       const StudyOrigin& origin, std::ostream& progress) {
    const std::string curves_file = curves_file_of(points_file);
    std::vector<std::string> rows = rows_of(points_file, kPointColumns), curves;
    std::set<std::string> done;
    for (const std::string& row : rows) done.insert(key_of(row));
    for (const std::string& row : rows_of(curves_file, kCurveColumns))  // of a point that was cut off: anew
        if (done.count(key_of(row))) curves.push_back(row);
    std::vector<TrainingPoint> to_do;
    for (const TrainingPoint& point : points)
        if (!done.count(point.key())) to_do.push_back(point);

    const OutputFolder writable(fs::absolute(points_file).parent_path());
    Progress told(progress, to_do);
    for (std::size_t i = 0; i < to_do.size(); ++i) {
        const TrainingPoint& point = to_do[i];
        const Trained trained = trainer(point, [&](int step) { told.step(point, i + 1, to_do.size(), step); });
        for (const std::string& row : curve_rows(point, trained)) curves.push_back(row);
        rows.push_back(point_row(point, trained, origin));
        write_whole(curves_file, text_of(kCurveColumns, curves));
        write_whole(points_file, text_of(kPointColumns, rows));
        told.finished(point, trained);
    }
    return {static_cast<int>(to_do.size()), static_cast<int>(points.size() - to_do.size())};
}

}  // namespace strata
