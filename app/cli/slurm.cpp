#include "app/cli/slurm.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <sstream>

#include "app/cli/chunks.hpp"
#include "hwmodels/input_error.hpp"
#include "hwmodels/run_program.hpp"
#include "reports/files.hpp"

namespace strata {

namespace fs = std::filesystem;

namespace {

// Slurm's own default where a site says nothing: indices 0 to 1000.
constexpr std::size_t kDefaultArray = 1001;

std::string quoted(const std::string& word) {
    std::string text = "'";
    for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
}

FinishedProgram ask(const std::vector<std::string>& words) { return run_program(words, Kept::output_and_errors); }

// Jobs of the same study have the same name: of the folder that they write to.
std::string job_name(const fs::path& folder) { return fmt::format("strata:{}", fs::absolute(folder).string()); }

// "12", "0-3", "0-3,7%2": the tasks of one line of squeue.
void add_tasks(const std::string& text, std::set<std::size_t>& tasks) {
    std::istringstream parts(text.substr(0, text.find('%')));
    for (std::string part; std::getline(parts, part, ',');) {
        std::size_t first = 0;
        const char* const end = part.data() + part.size();
        const auto [rest, status] = std::from_chars(part.data(), end, first);
        std::size_t last = first;
        if (status != std::errc() || (rest != end && *rest != '-')) continue;
        if (rest != end) std::from_chars(rest + 1, end, last);
        for (std::size_t task = first; task <= last; ++task) tasks.insert(task);
    }
}

std::string job_script(const fs::path& folder, const SlurmOptions& options, const std::string& root) {
    const std::string program = fs::read_symlink("/proc/self/exe").string();
    return fmt::format(
        "#!/bin/bash\n"
        "# A chunk of the study in this folder. Written by strata; 'strata study merge' joins what the tasks leave.\n"
        "export STRATA_ROOT={}\n"
        "exec {} study chunk {} \"$SLURM_ARRAY_TASK_ID\" --jobs {}\n",
        quoted(fs::absolute(root).string()), quoted(program), quoted(fs::absolute(folder).string()), options.cores);
}

}  // namespace

std::size_t largest_array() {
    const FinishedProgram answer = ask({"scontrol", "show", "config"});
    if (answer.code != 0)
        throw InputError("--on slurm", "a Slurm that answers 'scontrol show config'",
                         answer.said.substr(0, answer.said.find('\n')));
    const std::size_t at = answer.said.find("MaxArraySize");
    std::size_t largest = 0;
    if (at != std::string::npos) {
        const std::size_t digits = answer.said.find_first_of("0123456789", at);
        std::from_chars(answer.said.data() + digits, answer.said.data() + answer.said.size(), largest);
    }
    return largest > 1 ? largest : kDefaultArray;
}

std::vector<std::size_t> chunks_in_queue(const fs::path& folder) {
    // %K: the tasks that a line stands for; pending ones of an array are one line.
    const FinishedProgram answer = ask({"squeue", "--noheader", "--name", job_name(folder), "--states",
                                        "PENDING,RUNNING,CONFIGURING,SUSPENDED,COMPLETING", "--format", "%K"});
    if (answer.code != 0) throw InputError("squeue", "a list of jobs", answer.said.substr(0, answer.said.find('\n')));
    std::set<std::size_t> tasks;
    std::istringstream lines(answer.said);
    for (std::string line; std::getline(lines, line);) add_tasks(line, tasks);
    return {tasks.begin(), tasks.end()};
}

std::string submit_chunks(const fs::path& folder, const std::vector<std::size_t>& chunks, const SlurmOptions& options,
                          const std::string& root) {
    const std::vector<std::size_t> queued = chunks_in_queue(folder);
    std::vector<std::size_t> wanted;
    std::set_difference(chunks.begin(), chunks.end(), queued.begin(), queued.end(), std::back_inserter(wanted));
    if (wanted.empty()) return {};
    const fs::path script = folder / "chunks" / "job.sh", logs = folder / "chunks" / "logs";
    fs::create_directories(logs);
    write_whole(script, job_script(folder, options, root));
    std::vector<std::string> command{"sbatch",
                                     "--parsable",
                                     "--job-name=" + job_name(folder),
                                     "--array=" + ranges_text(wanted),
                                     "--ntasks=1",
                                     fmt::format("--cpus-per-task={}", options.cores),
                                     "--mem=" + options.memory,
                                     "--open-mode=append",
                                     "--output=" + fs::absolute(logs / "%A_%a.log").string()};
    if (!options.partition.empty()) command.push_back("--partition=" + options.partition);
    command.insert(command.end(), options.sbatch.begin(), options.sbatch.end());
    command.push_back(script.string());
    const FinishedProgram answer = ask(command);
    if (answer.code != 0) throw InputError("sbatch", "a job array that Slurm takes", answer.said);
    return answer.said.substr(0, answer.said.find_first_of(";\n"));
}

}  // namespace strata
