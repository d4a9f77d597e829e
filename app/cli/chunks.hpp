// A study in chunks, for machines that share a folder and nothing else: a plan says which points a chunk has, each
// chunk becomes a store of its own, written elsewhere and renamed into the folder, and all of them are merged in the
// end. Which scheduler runs them, and how often, makes no difference: what is there is done.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/cli/verbs.hpp"

namespace strata {

struct ChunkPlan {
    std::string scenario;  // absolute, as it stands on the shared folder
    std::vector<std::string> set, engines;
    PointLimits limits{};
    std::size_t points = 0, points_a_chunk = 0;
    std::string inputs{};  // fingerprint of catalogue, profiles and model: another one would answer another question

    std::size_t chunks() const { return (points + points_a_chunk - 1) / points_a_chunk; }
};

// At most `most` chunks of at least `fewest` points. Throws InputError if the scenario cannot be read.
ChunkPlan plan_chunks(const RunArguments& arguments, const std::string& root, std::size_t most, std::size_t fewest);

// FOLDER/chunks/plan.json. Throws InputError if the folder holds chunks of another study.
void write_plan(const ChunkPlan& plan, const std::filesystem::path& folder);
ChunkPlan read_plan(const std::filesystem::path& folder);

// Those that have no file yet.
std::vector<std::size_t> missing_chunks(const ChunkPlan& plan, const std::filesystem::path& folder);
// "0-7,12": consecutive ones together, as schedulers want it.
std::string ranges_text(const std::vector<std::size_t>& numbers);

// Computes one chunk, unless it is there.
void run_chunk(const std::filesystem::path& folder, std::size_t chunk, int jobs, const std::string& root);

// All chunks that are there into FOLDER/study.sqlite; how many points were new.
std::size_t merge_chunks(const ChunkPlan& plan, const std::filesystem::path& folder);

}  // namespace strata
