"""What import-linter cannot say."""

import sys

import grimp
import pytest

SERVICES = ("token_service", "landing", "anonymizer")


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Give the imports of everything that is delivered."""
    return grimp.build_graph(
        "orthanc_share",
        *SERVICES,
        "suite",
        include_external_packages=True,
        cache_dir=None,
    )


def inside(graph: grimp.ImportGraph, package: str) -> set[str]:
    return {m for m in graph.modules if m == package or m.startswith(f"{package}.")}


def imported_by(graph: grimp.ImportGraph, modules: set[str]) -> set[str]:
    """Return what `modules` import from elsewhere."""
    found = (graph.find_modules_directly_imported_by(module) for module in modules)
    return set().union(*found) - modules


def test_the_domain_is_standard_library_only(graph: grimp.ImportGraph) -> None:
    domain = inside(graph, "orthanc_share.domain")
    assert len(domain) > 5
    imported = {name.split(".")[0] for name in imported_by(graph, domain)}
    assert imported <= sys.stdlib_module_names


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_imports_another(graph: grimp.ImportGraph, service: str) -> None:
    imported = {
        name.split(".")[0] for name in imported_by(graph, inside(graph, service))
    }
    assert imported.isdisjoint({*SERVICES, "suite", "demo", "benchmarks"} - {service})


def test_nothing_that_is_delivered_imports_tests_or_tools(
    graph: grimp.ImportGraph,
) -> None:
    ours = {m for m in graph.modules if m.split(".")[0] in {"orthanc_share", "suite"}}
    imported = {name.split(".")[0] for name in imported_by(graph, ours)}
    assert imported.isdisjoint({"tests", "pytest", "hypothesis", "demo", "benchmarks"})


def test_the_core_holds_no_cycle_of_packages(graph: grimp.ImportGraph) -> None:
    packages = sorted(graph.find_children("orthanc_share"))
    for package in packages:
        graph.squash_module(package)
    for package in packages:
        for other in graph.find_downstream_modules(package) & set(packages):
            chain = graph.find_shortest_chain(importer=package, imported=other)
            assert chain is None, chain
