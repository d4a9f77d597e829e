#include <fmt/format.h>

#include <filesystem>
#include <iostream>

#include "app/cli/chunks.hpp"
#include "app/cli/slurm.hpp"
#include "app/cli/verbs.hpp"
#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

SlurmOptions slurm_options(const ClusterArguments& cluster) {
    return {.partition = cluster.partition, .memory = cluster.memory, .sbatch = cluster.sbatch, .cores = cluster.cores};
}

// Says what is missing; sends it again if that is asked for. Returns how many are missing.
std::size_t look_after(const ChunkPlan& plan, const std::string& folder, bool submit, const SlurmOptions& options,
                       const std::string& root) {
    const std::vector<std::size_t> missing = missing_chunks(plan, folder);
    std::cout << fmt::format("{} of {} chunks of {} points are there\n", plan.chunks() - missing.size(), plan.chunks(),
                             plan.points_a_chunk);
    if (missing.empty()) return 0;
    std::cout << "missing: " << ranges_text(missing) << '\n';
    if (!submit) return missing.size();
    const std::string job = submit_chunks(folder, missing, options, root);
    std::cout << (job.empty()
                      ? "all of them wait or run already\n"
                      : fmt::format("submitted as job {}; when it is through: strata study merge {}\n", job, folder));
    return missing.size();
}

}  // namespace

int submit_verb(const RunArguments& arguments, const std::string& root) {
    if (arguments.out_folder.empty())
        throw InputError("--on slurm", "--out FOLDER, which all machines share", "no --out");
    // Scheduling a task takes about as long as computing this many points.
    constexpr std::size_t kFewestPoints = 500;
    const std::size_t most = std::min<std::size_t>(largest_array(), static_cast<std::size_t>(arguments.cluster.array));
    const ChunkPlan plan = plan_chunks(arguments, root, most, kFewestPoints);
    write_plan(plan, arguments.out_folder);
    look_after(plan, arguments.out_folder, true, slurm_options(arguments.cluster), root);
    return 0;
}

int study_chunk_verb(const std::string& folder, std::size_t chunk, int jobs, const std::string& root) {
    run_chunk(folder, chunk, jobs, root);
    return 0;
}

int study_merge_verb(const std::string& folder, const ClusterArguments& cluster, bool resubmit,
                     const std::string& root) {
    const ChunkPlan plan = read_plan(folder);
    const std::size_t added = merge_chunks(plan, folder);
    std::cout << fmt::format("{} points are new in {}\n", added,
                             (std::filesystem::path(folder) / "study.sqlite").string());
    if (look_after(plan, folder, resubmit, slurm_options(cluster), root) != 0) return 1;
    std::cout << fmt::format("complete: strata run {} --out {} writes the report\n", plan.scenario, folder);
    return 0;
}

}  // namespace strata
