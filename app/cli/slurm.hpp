// A study's chunks as a Slurm job array. Slurm is asked through its own commands (sbatch, squeue, scontrol), wherever
// the environment finds them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace strata {

struct SlurmOptions {
    std::string partition;            // empty: the site's default
    std::string memory = "2G";        // of a task; without it some sites give a task the whole node
    std::vector<std::string> sbatch;  // more options, as typed
    int cores = 1;                    // of a task
};

// How many tasks one array may have here.
std::size_t largest_array();

// Submits these chunks of the study in `folder`, but those that wait or run already; the id of the job, empty if there
// was nothing to do. Throws InputError with what Slurm says if it does not take them.
std::string submit_chunks(const std::filesystem::path& folder, const std::vector<std::size_t>& chunks,
                          const SlurmOptions& options, const std::string& root);

// Chunks of the study that wait or run.
std::vector<std::size_t> chunks_in_queue(const std::filesystem::path& folder);

}  // namespace strata
