#include "reports/report_folder.hpp"

#include <filesystem>
#include <set>

#include "reports/files.hpp"
#include "reports/print_report.hpp"
#include "reports/render/document_json.hpp"
#include "reports/render/markdown.hpp"
#include "reports/report.hpp"

namespace strata {

namespace {

namespace fs = std::filesystem;

constexpr const char* kFigureEndings[] = {".svg", ".png"};

// Files that belong together: made in a folder inside theirs, and in their place only when all are there.
class Together {
public:
    Together(fs::path folder, const char* making) : folder_(std::move(folder)), making_(folder_ / making) {
        fs::remove_all(making_);  // of a process that was killed
        fs::create_directory(making_);
    }
    ~Together() {
        std::error_code ignored;
        fs::remove_all(making_, ignored);
    }
    Together(const Together&) = delete;
    Together& operator=(const Together&) = delete;

    const fs::path& making() const { return making_; }
    void add(const std::string& name) { names_.insert(name); }  // made there by another program, and whole
    void write(const std::string& name, const std::string& text) {
        write_whole(making_ / name, text);
        add(name);
    }
    // An earlier report's, which would be taken for this one's.
    void leave_out(const std::string& name) {
        std::error_code is_not_there;
        fs::remove(folder_ / name, is_not_there);
    }
    void put_in_place(std::vector<std::string>& files) {
        for (const std::string& name : names_) {
            fs::rename(making_ / name, folder_ / name);
            files.push_back((folder_ / name).string());
        }
    }

private:
    fs::path folder_, making_;
    std::set<std::string> names_;
};

}  // namespace

WrittenReport write_report(const ReportFolders& folders, const Document& document, const PageAssets& assets,
                           const std::string& json, const std::string& csv) {
    const fs::path folder(folders.report);
    const FolderLock lock(folder);
    Together report(folder, ".making"), figures(folders.figures, ".making-figures");
    report.write("results.json", json);
    report.write("results.csv", csv);
    report.write("report.json", document_json(document));
    // Without pictures at first: whatever happens to strata-print, there is a report.
    report.write("report.html", html_of(document, assets));
    report.write("report.md", markdown_of(document, ""));
    WrittenReport written;
    const auto go_without_pictures = [&] {
        report.leave_out("report.pdf");
        for (const Chart& chart : figures_of(document))
            for (const char* ending : kFigureEndings) figures.leave_out(chart.name + ending);
        report.put_in_place(written.files);
    };
    try {
        written.obstacle =
            print_report(report.making() / "report.json", report.making() / "report.pdf", figures.making());
    } catch (const std::runtime_error&) {
        go_without_pictures();
        throw;
    }
    if (!written.obstacle.empty()) {
        go_without_pictures();
    } else {
        Pictures pictures;
        report.add("report.pdf");
        for (const Chart& chart : figures_of(document)) {
            pictures[chart.name] = whole_file(figures.making() / (chart.name + ".svg"));
            for (const char* ending : kFigureEndings) figures.add(chart.name + ending);
        }
        report.write("report.html", html_of(document, assets, pictures));
        report.write(
            "report.md",
            markdown_of(document, fs::absolute(folders.figures).lexically_relative(fs::absolute(folder)).string()));
        figures.put_in_place(written.files);
        report.put_in_place(written.files);
    }
    return written;
}

}  // namespace strata
